//! Redis: `GEOSEARCH` over a geo set for each specialty, and the rules in one Lua script on the server.
//!
//! A server that the run started, one thread as Redis is; four connections over its socket, each with many calls under
//! way. An agenda is its place and its openings, packed.

use redis::aio::MultiplexedConnection;

use super::shared::job::{Answer, Ask, Row};
use super::support::served::CONNECTIONS;

/// How the same is asked; all answer the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Design {
    /// Everything within the radius at once, agendas in a hash.
    Whole,
    /// In rings, agendas in a hash.
    Rings,
    /// In rings; the members of the geo sets are the agendas, so that nothing is looked up.
    Covering,
}

impl Design {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Whole, Self::Rings, Self::Covering];
}

/// Connections to a loaded server.
#[derive(Clone)]
pub struct Redis {
    connections: Vec<MultiplexedConnection>,
    script: String,
    design: Design,
}

impl Redis {
    /// Fills an empty server whose socket is given.
    pub async fn load(socket: &str, rows: &[Row]) {
        let mut connection = connect(socket).await;
        let known: usize = redis::cmd("DBSIZE").query_async(&mut connection).await.unwrap();
        assert_eq!(known, 0, "the server at {socket} is not empty: give one of its own");
        for (chunk, from) in rows.chunks(1_000).zip((0_usize..).step_by(1_000)) {
            let mut batch = redis::pipe();
            for (row, number) in chunk.iter().zip(from..) {
                let (longitude, latitude) = (row.at.longitude(), row.at.latitude());
                let (area, packed, agenda) = (area("a", row.specialty), area("c", row.specialty), pack(row, number));
                batch.cmd("GEOADD").arg(area).arg(longitude).arg(latitude).arg(number).ignore();
                batch.cmd("GEOADD").arg(packed).arg(longitude).arg(latitude).arg(&agenda).ignore();
                batch.cmd("HSET").arg("agendas").arg(number).arg(agenda).ignore();
            }
            batch.query_async::<()>(&mut connection).await.unwrap();
        }
    }

    /// Asks a loaded server.
    pub async fn open(socket: &str, design: Design) -> Self {
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            connections.push(connect(socket).await);
        }
        let mut load = redis::cmd("SCRIPT");
        load.arg("LOAD").arg(include_str!("find.lua"));
        let script = load.query_async(&mut connections[0]).await.unwrap();
        Self { connections, script, design }
    }

    /// The answer, over the connection of this worker.
    pub async fn ask(&self, worker: usize, ask: &Ask) -> Answer {
        let covering = self.design == Design::Covering;
        let mut call = redis::cmd("EVALSHA");
        call.arg(&self.script).arg(ask.specialties.len() + usize::from(!covering));
        for specialty in &ask.specialties {
            call.arg(area(if covering { "c" } else { "a" }, *specialty));
        }
        if !covering {
            call.arg("agendas");
        }
        call.arg(ask.at.longitude()).arg(ask.at.latitude()).arg(ask.x_m).arg(ask.y_m).arg(ask.radius_m);
        let [own, other] = ask.two_territories();
        call.arg(ask.ways).arg(ask.now_s).arg(ask.until_s).arg(own).arg(other).arg(format!("{:?}", self.design));
        let mut connection = self.connections[worker % self.connections.len()].clone();
        call.query_async(&mut connection).await.unwrap()
    }
}

async fn connect(socket: &str) -> MultiplexedConnection {
    let client = redis::Client::open(format!("redis+unix://{socket}")).unwrap();
    let patient = redis::AsyncConnectionConfig::new().set_response_timeout(None);
    client.get_multiplexed_async_connection_with_config(&patient).await.unwrap()
}

fn area(kind: &str, specialty: i32) -> String {
    format!("{kind}:{specialty}")
}

/// Little-endian words: place, territory, how many, then each opening. The number sets apart what is otherwise alike.
fn pack(row: &Row, number: usize) -> Vec<u8> {
    let mut words = vec![row.x_m, row.y_m, row.territory, row.slots.len() as i32];
    words.extend(row.slots.iter().flat_map(|slot| [slot.start_s, slot.end_s, slot.number, slot.bits]));
    words.push(number as i32);
    words.into_iter().flat_map(i32::to_le_bytes).collect()
}

//! PostgreSQL with PostGIS: GiST indexes a specialty, a covering index of openings, functions on the server.
//!
//! A cluster that the run started, reached through its socket; prepared calls with binary parameters, several under way
//! on each connection. Nothing is written while it is asked.

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage, Statement};

use super::shared::job::{Answer, Ask, Row};
use super::shared::sql;

/// Connections: at two cores, more of them were not faster.
const CONNECTIONS: usize = 8;

/// How the same is asked; all answer the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Design {
    /// Schedules, all within the radius at once.
    Whole,
    /// The same in rings until nobody farther can win.
    Rings,
    /// Schedules from the nearest on (`<->`), until nobody farther can win.
    Nearest,
    /// Openings in a GiST index of place and start, in rings.
    Openings,
}

impl Design {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Whole, Self::Rings, Self::Nearest, Self::Openings];

    fn function(self) -> String {
        format!("find_{self:?}").to_lowercase()
    }
}

/// Connections to a loaded cluster.
pub struct Postgres {
    connections: Vec<(Client, Statement)>,
}

const SCHEMA: &str = "
    CREATE EXTENSION postgis; CREATE EXTENSION btree_gist;
    CREATE TABLE agenda(number integer, specialty integer, territory integer, x integer, y integer,
        place geometry(Point, 2154)) PARTITION BY LIST (specialty);
    CREATE TABLE opening(schedule integer, start_s integer, number integer, end_s integer, bits integer);
    CREATE TABLE free(number integer, specialty integer, territory integer, x integer, y integer, schedule integer,
        start_s integer, end_s integer, bits integer, place geometry(Point, 2154)) PARTITION BY LIST (specialty);
    DO $$ BEGIN FOR s IN 0..11 LOOP
        EXECUTE format('CREATE TABLE agenda_%s PARTITION OF agenda FOR VALUES IN (%s)', s, s);
        EXECUTE format('CREATE TABLE free_%s PARTITION OF free FOR VALUES IN (%s)', s, s);
    END LOOP; END $$;";

const INDEXES: &str = "
    INSERT INTO free SELECT o.number, specialty, territory, x, y, schedule, start_s, end_s, bits, place
        FROM opening o JOIN agenda a ON a.number = o.schedule;
    CREATE INDEX ON agenda USING gist (place);
    CREATE INDEX ON free USING gist (place, start_s);
    CREATE UNIQUE INDEX ON opening (schedule, start_s, number) INCLUDE (end_s, bits);";

impl Postgres {
    /// Fills an empty cluster; its socket is in this folder.
    pub async fn load(folder: &str, rows: &[Row]) {
        let client = connect(folder).await;
        client.batch_execute(SCHEMA).await.unwrap();
        for (chunk, from) in rows.chunks(2_000).zip((0_usize..).step_by(2_000)) {
            let (mut agendas, mut openings) = (Vec::new(), Vec::new());
            for (row, number) in chunk.iter().zip(from..) {
                let (x, y) = (row.x_m, row.y_m);
                let place = format!("ST_SetSRID(ST_MakePoint({x}, {y}), 2154)");
                agendas.push(format!("({number}, {}, {}, {x}, {y}, {place})", row.specialty, row.territory));
                openings.extend(row.slots.iter().map(|slot| {
                    format!("({number}, {}, {}, {}, {})", slot.start_s, slot.number, slot.end_s, slot.bits)
                }));
            }
            insert(&client, "agenda", &agendas).await;
            insert(&client, "opening", &openings).await;
        }
        client.batch_execute(INDEXES).await.unwrap();
        client.batch_execute("VACUUM (ANALYZE, FREEZE)").await.unwrap();
        for design in Design::ALL {
            client.batch_execute(&function(design)).await.unwrap();
        }
    }

    /// Asks a loaded cluster.
    pub async fn open(folder: &str, design: Design) -> Self {
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            let client = connect(folder).await;
            let call = format!("SELECT best FROM {}($1, $2, $3, $4, $5, $6, $7, $8, $9)", design.function());
            let statement = client.prepare(&call).await.unwrap();
            connections.push((client, statement));
        }
        Self { connections }
    }

    /// The answer, over the connection of this worker.
    pub async fn ask(&self, worker: usize, ask: &Ask) -> Answer {
        let (client, statement) = &self.connections[worker % self.connections.len()];
        let [own, other] = ask.two_territories();
        let values: [&(dyn ToSql + Sync); 9] =
            [&ask.x_m, &ask.y_m, &ask.radius_m, &ask.specialties, &ask.ways, &ask.now_s, &ask.until_s, &own, &other];
        client.query(statement, &values).await.unwrap().iter().map(|row| row.get(0)).collect()
    }

    /// Which server that is.
    pub async fn version(folder: &str) -> String {
        let client = connect(folder).await;
        let all = client.simple_query("SELECT version() || ', PostGIS ' || postgis_lib_version()").await.unwrap();
        let first = all.into_iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        });
        first.unwrap_or_default()
    }
}

async fn connect(folder: &str) -> Client {
    let how = format!("host={folder} user=postgres dbname=postgres");
    let (client, connection) = tokio_postgres::connect(&how, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn insert(client: &Client, table: &str, rows: &[String]) {
    if !rows.is_empty() {
        client.batch_execute(&format!("INSERT INTO {table} VALUES {}", rows.join(", "))).await.unwrap();
    }
}

fn function(design: Design) -> String {
    let within = "place && ST_Expand(ST_SetSRID(ST_MakePoint($1, $2), 2154), $3)";
    let agendas = format!("SELECT number, territory, x, y FROM agenda WHERE specialty = ANY ($4) AND {within}");
    let schedules = sql::best(&sql::joined(&agendas), "greatest");
    let openings = format!(
        "SELECT number, schedule, {travel} AS travel_s, start_s, end_s, bits, territory FROM free
         WHERE specialty = ANY ($4) AND {within} AND start_s <= $7 AND end_s > $6
         AND {squared} <= CAST($3 AS bigint) * $3",
        travel = sql::travel(sql::SQUARED),
        squared = sql::SQUARED
    );
    let body = match design {
        Design::Whole => format!("BEGIN RETURN QUERY {schedules}; END"),
        Design::Rings => in_rings(&schedules),
        Design::Openings => in_rings(&sql::best(&openings, "greatest")),
        Design::Nearest => from_the_nearest(),
    };
    format!(
        "CREATE FUNCTION {name}(integer, integer, integer, integer[], integer, integer, integer, integer, integer)
         RETURNS TABLE (best bigint) LANGUAGE plpgsql STABLE AS $f$ #variable_conflict use_column
         {body} $f$",
        name = design.function()
    )
}

/// What nobody beyond a distance can go below.
const LEAST: &str = "(CASE WHEN $5 & 2 = 0 THEN 2 ELSE 1 END)";

fn in_rings(best: &str) -> String {
    let of_ring = best.replace("$3", "ring");
    format!(
        "DECLARE ring integer; found bigint[]; BEGIN
         FOREACH ring IN ARRAY ARRAY[$3 / 8, $3 / 4, $3 / 2, $3] LOOP
             found := ARRAY({of_ring});
             EXIT WHEN cardinality(found) = 5 AND found[5] >> 32 < (240 + ring / 10) * {LEAST};
         END LOOP;
         RETURN QUERY SELECT unnest(found); END"
    )
}

fn from_the_nearest() -> String {
    let opening = "SELECT o.number, o.schedule, travel AS travel_s, o.start_s, o.end_s, o.bits, agenda.territory
        FROM opening AS o WHERE o.schedule = agenda.number AND o.start_s <= $7";
    let opening = sql::best(opening, "greatest");
    let travel = sql::travel("squared");
    format!(
        "DECLARE agenda record; squared bigint; travel integer; one bigint; found bigint[] := '{{}}'; BEGIN
         FOR agenda IN SELECT number, territory, x, y FROM agenda WHERE specialty = ANY ($4)
             ORDER BY place <-> ST_SetSRID(ST_MakePoint($1, $2), 2154)
         LOOP
             squared := CAST(agenda.x - $1 AS bigint) * (agenda.x - $1) + CAST(agenda.y - $2 AS bigint) * (agenda.y - $2);
             EXIT WHEN squared > CAST($3 AS bigint) * $3;
             travel := {travel};
             EXIT WHEN cardinality(found) = 5 AND found[5] >> 32 < travel * {LEAST};
             one := ({opening});
             IF one IS NOT NULL AND (cardinality(found) < 5 OR one < found[5]) THEN
                 found := ARRAY(SELECT each FROM unnest(found || one) AS each ORDER BY each LIMIT 5);
             END IF;
         END LOOP;
         RETURN QUERY SELECT unnest(found); END"
    )
}

//! SQLite with an R*Tree, in process: a question is a function call, so its figure is without any transport.
//!
//! One connection a thread on one file, mapped into memory, with prepared statements; nothing is written while it is asked.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OpenFlags, params};

use super::job::{Answer, Ask, Row, rings, suffices};
use super::sql;

/// How the same is asked; all answer the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Design {
    /// A tree of schedules, all within the radius at once.
    Whole,
    /// The same tree, in rings until nobody farther can win.
    Rings,
    /// A tree of openings with time as a dimension, in rings.
    Openings,
}

impl Design {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Whole, Self::Rings, Self::Openings];
}

/// A file that every thread opens for itself.
pub struct Sqlite {
    file: PathBuf,
    design: Design,
}

thread_local! {
    static CONNECTION: RefCell<Option<(PathBuf, Connection)>> = const { RefCell::new(None) };
}

const SCHEMA: &str = "
    PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;
    CREATE VIRTUAL TABLE area USING rtree_i32(number, x, x1, y, y1, s, s1, +territory INTEGER);
    CREATE TABLE opening(schedule INTEGER, start_s INTEGER, number INTEGER, end_s INTEGER, bits INTEGER,
        PRIMARY KEY (schedule, start_s, number)) WITHOUT ROWID;
    CREATE VIRTUAL TABLE free USING rtree_i32(number, x, x1, y, y1, s, s1, start_s, end_s,
        +territory INTEGER, +schedule INTEGER, +bits INTEGER);";

impl Sqlite {
    /// Writes a file with everything, for one or another design.
    pub fn load(file: &Path, rows: &[Row]) {
        let connection = Connection::open(file).unwrap();
        connection.execute_batch(SCHEMA).unwrap();
        {
            let mut area = connection.prepare("INSERT INTO area VALUES (?1, ?2, ?2, ?3, ?3, ?4, ?4, ?5)").unwrap();
            let mut opening = connection.prepare("INSERT INTO opening VALUES (?1, ?2, ?3, ?4, ?5)").unwrap();
            let mut free =
                connection.prepare("INSERT INTO free VALUES (?1, ?2, ?2, ?3, ?3, ?4, ?4, ?5, ?6, ?7, ?8, ?9)").unwrap();
            for (row, number) in rows.iter().zip(0_i32..) {
                let (x, y, s, territory) = (row.x_m, row.y_m, row.specialty, row.territory);
                area.execute(params![number, x, y, s, territory]).unwrap();
                for slot in &row.slots {
                    let (id, start_s, end_s, bits) = (slot.number, slot.start_s, slot.end_s, slot.bits);
                    opening.execute(params![number, start_s, id, end_s, bits]).unwrap();
                    free.execute(params![id, x, y, s, start_s, end_s, territory, number, bits]).unwrap();
                }
            }
        }
        connection.execute_batch("COMMIT; ANALYZE;").unwrap();
    }

    /// Asks a loaded file.
    pub fn open(file: &Path, design: Design) -> Self {
        Self { file: file.to_owned(), design }
    }

    /// The answer, on the caller's thread.
    pub fn ask(&self, ask: &Ask) -> Answer {
        CONNECTION.with_borrow_mut(|open| {
            let known = open.take_if(|(file, _)| *file == self.file);
            let (_, connection) = open.insert(known.unwrap_or_else(|| (self.file.clone(), connect(&self.file))));
            if self.design == Design::Whole {
                return best(connection, self.design, ask, ask.radius_m);
            }
            let mut answer = Answer::new();
            for ring_m in rings(ask) {
                answer = best(connection, self.design, ask, ring_m);
                if suffices(&answer, ring_m, ask) {
                    break;
                }
            }
            answer
        })
    }
}

fn connect(file: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags).unwrap();
    connection.execute_batch("PRAGMA mmap_size = 4294967296; PRAGMA cache_size = -65536;").unwrap();
    // The library is built along without functions of mathematics.
    let pure = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("sqrt", 1, pure, |call| Ok(call.get::<f64>(0)?.sqrt())).unwrap();
    connection.create_scalar_function("floor", 1, pure, |call| Ok(call.get::<f64>(0)?.floor())).unwrap();
    connection
}

fn best(connection: &Connection, design: Design, ask: &Ask, ring_m: i32) -> Answer {
    let mut statement = connection.prepare_cached(text(design)).unwrap();
    let mask = ask.specialties.iter().fold(0, |mask, one| mask | 1 << one);
    let (first, last) = (ask.specialties.iter().min().unwrap_or(&-1), ask.specialties.iter().max().unwrap_or(&-1));
    let [own, other] = ask.two_territories();
    let (now, until) = (ask.now_s, ask.until_s);
    let values = params![ask.x_m, ask.y_m, ring_m, mask, ask.ways, now, until, own, other, first, last];
    statement.query_map(values, |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn text(design: Design) -> &'static str {
    static SCHEDULES: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
        let agendas = format!("SELECT number, territory, x, y FROM area WHERE {BOX}");
        sql::best(&sql::joined(&agendas), "max").replace('$', "?")
    });
    static OPENINGS: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
        let (squared, travel) = (sql::SQUARED, sql::travel(sql::SQUARED));
        let source = format!(
            "SELECT number, schedule, {travel} AS travel_s, start_s, end_s, bits, territory FROM free
             WHERE {BOX} AND start_s <= $7 AND end_s > $6 AND {squared} <= $3 * $3"
        );
        sql::best(&source, "max").replace('$', "?")
    });
    match design {
        Design::Whole | Design::Rings => &SCHEDULES,
        Design::Openings => &OPENINGS,
    }
}

/// What the tree can tell, and the specialties exactly.
const BOX: &str = "x >= $1 - $3 AND x <= $1 + $3 AND y >= $2 - $3 AND y <= $2 + $3 AND s >= $10 AND s <= $11
    AND ((1 << s) & $4) <> 0";

//! The rules in the SQL that PostgreSQL and SQLite have in common.
//!
//! Parameters: 1 and 2 position, 3 radius, 4 specialties (an array or a mask), 5 ways of care, 6 now, 7 latest start,
//! 8 and 9 the asker's territories.

/// The best of a source that gives `number`, `schedule`, `travel_s`, `start_s`, `end_s`, `bits` and `territory`, one a
/// schedule. `greatest` is how the dialect calls the greater of two.
pub fn best(source: &str, greatest: &str) -> String {
    format!(
        "SELECT min(CAST(begins - $6 + travel_s AS bigint) << 32 | number) AS best FROM (
            SELECT number, schedule, travel_s, CASE
                WHEN (bits & 4) <> 0 THEN CASE WHEN arrival + 300 <= end_s THEN {greatest}(start_s, arrival) END
                WHEN start_s >= arrival + early THEN start_s END AS begins
            FROM (
                SELECT number, schedule, travel_s, start_s, end_s, bits,
                    CASE WHEN (bits & $5 & 2) <> 0 THEN $6 ELSE $6 + travel_s END AS arrival,
                    CASE WHEN (bits & $5 & 2) <> 0 THEN 0 ELSE 300 END AS early
                FROM ({source}) AS source
                WHERE (bits & $5 & 3) <> 0 AND ((bits & 8) <> 0 OR territory IN ($8, $9))
            ) AS timed
        ) AS offered WHERE begins <= $7 GROUP BY schedule ORDER BY best LIMIT 5"
    )
}

/// The square of the distance of `x` and `y`.
pub const SQUARED: &str = "(CAST(x - $1 AS bigint) * (x - $1) + CAST(y - $2 AS bigint) * (y - $2))";

/// The journey over the distance whose square is given.
pub fn travel(squared: &str) -> String {
    format!("240 + CAST(floor(sqrt(CAST({squared} AS float))) AS integer) / 10")
}

/// Openings of agendas that are given as `number`, `territory`, `x` and `y`, each agenda's journey worked out once.
pub fn joined(agendas: &str) -> String {
    let travel = travel(SQUARED);
    format!(
        "WITH near AS MATERIALIZED (
            SELECT number, territory, {travel} AS travel_s FROM ({agendas}) AS agenda
            WHERE {SQUARED} <= CAST($3 AS bigint) * $3)
        SELECT o.number, o.schedule, near.travel_s, o.start_s, o.end_s, o.bits, near.territory
        FROM near CROSS JOIN opening AS o WHERE o.schedule = near.number AND o.start_s <= $7"
    )
}

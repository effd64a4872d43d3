//! How fast people travel: by density class of the department and hour of the local day, by car, on foot, or without a car.

use super::reader::{At, Reader, Section};
use crate::domain::department::Department;
use crate::domain::patient::TravelMode;
use crate::domain::time::UtcInstant;
use crate::routing::clocks::Clocks;

/// Minutes of a day.
const DAY_MINUTES: u32 = 24 * 60;
/// Most density classes, and most ranges of hours of one.
const PARTS_MAX: usize = 24;

/// How long a way takes: seconds from door to door, and milliseconds for each metre of straight line, fewer out of town.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// Seconds that any way takes.
    pub base_seconds: u32,
    /// Milliseconds for each metre of straight line, detour included.
    pub ms_per_m: u32,
    /// From this distance in metres on, the way goes through open country.
    pub town_m: u32,
    /// Milliseconds for each metre beyond it.
    pub open_ms_per_m: u32,
}

/// Paces everywhere, at every hour.
#[derive(Clone, PartialEq, Debug)]
pub struct TravelPolicy {
    car_base_seconds: u32,
    walking_base_seconds: u32,
    no_car_base_seconds: u32,
    classes: Vec<DensityClass>,
}

/// Departments where people travel alike.
#[derive(Clone, PartialEq, Debug)]
pub struct DensityClass {
    /// Its name.
    pub id: String,
    /// Departments that belong to it whatever their radius, one bit each.
    departments: u128,
    /// Departments up to this official radius belong to it; absent for all that are left.
    radius_up_to_m: Option<u32>,
    /// Beyond this distance the paces are those of the last class; absent for never.
    town_m: Option<u32>,
    hours: Vec<Hours>,
}

/// Paces from one minute of the local day on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Hours {
    from_minute: u32,
    car_ms_per_m: u32,
    walking_ms_per_m: u32,
    no_car_ms_per_m: u32,
}

/// How people travel at one place and time.
#[derive(Clone, Copy, Debug)]
pub struct TravelAt {
    /// What the clocks show there.
    pub clocks: Clocks,
    /// By car, on foot, without a car.
    base_seconds: [u32; 3],
    in_town: Hours,
    town_m: u32,
    in_country: Hours,
}

impl TravelAt {
    /// The pace of whoever leaves now.
    #[must_use]
    pub fn pace(&self, mode: TravelMode) -> Pace {
        let [car, walking, no_car] = self.base_seconds;
        Pace {
            base_seconds: match mode {
                TravelMode::Car => car,
                TravelMode::Walking => walking,
                TravelMode::NoCar => no_car,
            },
            ms_per_m: self.in_town.ms_per_m(mode),
            town_m: self.town_m,
            open_ms_per_m: self.in_country.ms_per_m(mode),
        }
    }
}

impl Pace {
    /// Seconds of travel over a straight line in metres; never shorter for a longer line.
    #[must_use]
    #[inline]
    pub fn seconds(self, distance_m: u32) -> u32 {
        let in_town_m = distance_m.min(self.town_m);
        let in_town = u64::from(in_town_m) * u64::from(self.ms_per_m);
        let in_country = u64::from(distance_m - in_town_m) * u64::from(self.open_ms_per_m);
        let on_road = (in_town + in_country) / 1_000;
        self.base_seconds.saturating_add(u32::try_from(on_road).unwrap_or(u32::MAX))
    }

    /// The same in minutes, rounded up, for people.
    #[must_use]
    pub fn minutes(self, distance_m: u32) -> u32 {
        self.seconds(distance_m).div_ceil(60)
    }

    /// One pace at any distance.
    #[must_use]
    pub const fn even(base_seconds: u32, ms_per_m: u32) -> Self {
        Self { base_seconds, ms_per_m, town_m: u32::MAX, open_ms_per_m: ms_per_m }
    }

    /// A pace that is slower than neither, at any distance.
    #[must_use]
    pub fn at_most(self, other: Self) -> Self {
        let open_ms_per_m = self.open_ms_per_m.min(other.open_ms_per_m);
        Self {
            base_seconds: self.base_seconds.min(other.base_seconds),
            ms_per_m: self.ms_per_m.min(other.ms_per_m),
            // The open country of this pace is no slower than either town, so the smaller town bounds both.
            town_m: self.town_m.min(other.town_m),
            open_ms_per_m: open_ms_per_m.min(self.ms_per_m).min(other.ms_per_m),
        }
    }
}

impl TravelPolicy {
    /// One pace everywhere, at every hour and in every way: for tests and comparisons.
    #[must_use]
    pub fn uniform(pace: Pace) -> Self {
        let Pace { base_seconds, ms_per_m, town_m: _, open_ms_per_m: _ } = pace;
        let hours =
            Hours { from_minute: 0, car_ms_per_m: ms_per_m, walking_ms_per_m: ms_per_m, no_car_ms_per_m: ms_per_m };
        let class = DensityClass {
            id: "all".to_owned(),
            departments: 0,
            radius_up_to_m: None,
            town_m: None,
            hours: vec![hours],
        };
        Self {
            car_base_seconds: base_seconds,
            walking_base_seconds: base_seconds,
            no_car_base_seconds: base_seconds,
            classes: vec![class],
        }
    }

    /// How people travel who leave now, in a department when it is known.
    #[must_use]
    pub fn at(&self, department: Option<Department>, now: UtcInstant) -> TravelAt {
        let clocks = Clocks::at(now, department.map_or(chrono_tz::Europe::Paris, Department::zone));
        let class = self.class_of(department);
        let still = Hours { from_minute: 0, car_ms_per_m: 0, walking_ms_per_m: 0, no_car_ms_per_m: 0 };
        let in_town = class.and_then(|class| class.hours_at(clocks.minute())).unwrap_or(still);
        let in_country = self.classes.last().and_then(|class| class.hours_at(clocks.minute())).unwrap_or(in_town);
        let base_seconds = [self.car_base_seconds, self.walking_base_seconds, self.no_car_base_seconds];
        let town_m = class.and_then(|class| class.town_m).unwrap_or(u32::MAX);
        TravelAt { clocks, base_seconds, in_town, town_m, in_country }
    }

    /// The density class of a department; of none, the last.
    #[must_use]
    pub fn class_of(&self, department: Option<Department>) -> Option<&DensityClass> {
        let fits = |department: Department| {
            let listed = self.classes.iter().find(|class| class.departments & (1 << department.index()) != 0);
            let radius_m = department.search_radius().radius_m;
            let by_radius = |class: &&DensityClass| class.radius_up_to_m.is_none_or(|up_to_m| radius_m <= up_to_m);
            listed.or_else(|| self.classes.iter().find(by_radius))
        };
        department.and_then(fits).or_else(|| self.classes.last())
    }

    pub(super) fn read(section: &Section<'_, '_>, reader: &Reader) -> Option<Self> {
        let car = section.number("car_base_seconds", 0..=3_600);
        let walking = section.number("walking_base_seconds", 0..=3_600);
        let no_car = section.number("no_car_base_seconds", 0..=3_600);
        let sections = section.sections("class");
        if sections.is_empty() || sections.len() > PARTS_MAX {
            section.refuse(format!("has {} density classes: give 1 to {PARTS_MAX}", sections.len()));
        }
        let read: Vec<_> = sections.into_iter().map(|class| DensityClass::read(class, reader)).collect();
        let classes: Vec<At<DensityClass>> = read.into_iter().collect::<Option<_>>()?;
        check_classes(&classes, reader);
        Some(Self {
            car_base_seconds: car?.value,
            walking_base_seconds: walking?.value,
            no_car_base_seconds: no_car?.value,
            classes: classes.into_iter().map(|class| class.value).collect(),
        })
    }
}

impl Hours {
    const fn ms_per_m(self, mode: TravelMode) -> u32 {
        match mode {
            TravelMode::Car => self.car_ms_per_m,
            TravelMode::Walking => self.walking_ms_per_m,
            TravelMode::NoCar => self.no_car_ms_per_m,
        }
    }
}

impl DensityClass {
    fn hours_at(&self, minute: u32) -> Option<Hours> {
        self.hours.iter().rev().find(|hours| hours.from_minute <= minute).copied()
    }

    fn read(section: Section<'_, '_>, reader: &Reader) -> Option<At<Self>> {
        let id = section.text("id", "give a name", |text| Ok(text.to_owned()));
        let departments = section.texts("departments", Department::parse);
        let up_to_km = section.optional_number("official_radius_up_to_km", 1..=300);
        let town_km = section.optional_number("town_km", 1..=300);
        let detour = section.number("detour_percent", 100..=300);
        let parts = section.sections("hours");
        if parts.is_empty() || parts.len() > PARTS_MAX {
            section.refuse(format!("has {} ranges of hours: give 1 to {PARTS_MAX}", parts.len()));
        }
        let detour = detour.map(|detour| detour.value);
        let mut ranges = Vec::new();
        for part in parts {
            ranges.extend(read_hours(&part, reader, detour.unwrap_or(100)).map(|range| part.at(range)));
            part.finish();
        }
        check_hours(&section, ranges.as_mut_slice(), reader);
        let class = Self {
            id: id.as_ref().map(|id| id.value.clone()).unwrap_or_default(),
            departments: departments.iter().fold(0, |bits, department| bits | 1 << department.value.index()),
            radius_up_to_m: up_to_km.map(|km| km.value * 1_000),
            town_m: town_km.map(|km| km.value * 1_000),
            hours: ranges.into_iter().map(|range| range.value.2).collect(),
        };
        let class = id.and(detour).map(|_| section.at(class));
        section.finish();
        class
    }
}

/// First and last minute of a range, and its paces.
type Range = (u32, u32, Hours);

fn read_hours(section: &Section<'_, '_>, reader: &Reader, detour_percent: u32) -> Option<Range> {
    const EXPECTED: &str = "give a time of day from \"00:00\" to \"24:00\"";
    let from = section.text("from", EXPECTED, minute_of_day);
    let until = section.text("until", EXPECTED, minute_of_day);
    if let (Some(from), Some(until)) = (&from, &until)
        && from.value >= until.value
    {
        until.refuse(
            reader,
            "ends before it starts: across midnight, give one range to \"24:00\" and one from \"00:00\"",
        );
        return None;
    }
    let (car, walking, no_car) = (section.speed("car_kmh"), section.speed("walking_kmh"), section.speed("no_car_kmh"));
    let ms_per_m = |metres_per_hour: u32| {
        // Rounded up: nobody arrives earlier than told.
        let ms = (3_600_000 * u64::from(detour_percent)).div_ceil(100 * u64::from(metres_per_hour.max(1)));
        u32::try_from(ms).unwrap_or(u32::MAX)
    };
    let from_minute = from?.value;
    let hours = Hours {
        from_minute,
        car_ms_per_m: ms_per_m(car?.value),
        walking_ms_per_m: ms_per_m(walking?.value),
        no_car_ms_per_m: ms_per_m(no_car?.value),
    };
    Some((from_minute, until?.value, hours))
}

fn minute_of_day(text: &str) -> Result<u32, String> {
    let parsed = text.split_once(':').and_then(|(hours, minutes)| {
        let two = |digits: &str| (digits.len() == 2).then(|| digits.parse::<u32>().ok()).flatten();
        Some(two(hours)? * 60 + two(minutes).filter(|minutes| *minutes < 60)?)
    });
    parsed
        .filter(|minute| *minute <= DAY_MINUTES)
        .ok_or_else(|| "give a time of day from \"00:00\" to \"24:00\"".to_owned())
}

/// Puts ranges in order and notes where they overlap or leave a gap.
fn check_hours(section: &Section<'_, '_>, ranges: &mut [At<Range>], reader: &Reader) {
    ranges.sort_by_key(|range| range.value.0);
    let mut covered = 0;
    for range in ranges.iter() {
        let (from, until, _) = range.value;
        if from > covered {
            range.refuse(
                reader,
                format!("leaves a gap from {} to {}: cover the whole day", clock(covered), clock(from)),
            );
        }
        if from < covered {
            range.refuse(
                reader,
                format!("begins at {}, but another range goes on until {}", clock(from), clock(covered)),
            );
        }
        covered = covered.max(until);
    }
    if covered < DAY_MINUTES && !ranges.is_empty() {
        section.refuse(format!("leaves a gap from {} to 24:00: cover the whole day", clock(covered)));
    }
}

fn clock(minute: u32) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

fn check_classes(classes: &[At<DensityClass>], reader: &Reader) {
    let mut seen = 0;
    for (at, class) in classes.iter().enumerate() {
        let earlier = classes.get(..at).unwrap_or_default();
        if earlier.iter().any(|other| other.value.id == class.value.id) {
            class.refuse(reader, format!("`{}` is the id of another class: choose another", class.value.id));
        }
        let twice = Department::ALL.iter().filter(|one| seen & class.value.departments & (1_u128 << one.index()) != 0);
        for department in twice {
            class.refuse(reader, format!("department {department} is in another class too: name it once"));
        }
        seen |= class.value.departments;
        let is_last = at + 1 == classes.len();
        match class.value.radius_up_to_m {
            None if !is_last && class.value.departments == 0 => {
                class.refuse(
                    reader,
                    "takes every department, so later classes take none: give official_radius_up_to_km",
                );
            }
            Some(_) if is_last => class.refuse(
                reader,
                "the last class takes what is left: remove official_radius_up_to_km, or add a class without it",
            ),
            Some(up_to)
                if earlier.iter().any(|other| other.value.radius_up_to_m.is_some_and(|other| other >= up_to)) =>
            {
                class.refuse(reader, "can take no department: an earlier class has this radius or a larger one");
            }
            Some(_) | None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::routing::policy::Policy;

    #[test]
    fn ten_kilometres_take_twenty_minutes_from_door_to_door() {
        let pace = Pace::even(240, 94);
        assert_eq!((pace.seconds(0), pace.seconds(10_000), pace.minutes(10_000)), (240, 240 + 940, 20));
    }

    #[test]
    fn dense_towns_are_slower_and_slowest_at_the_rush_hours() {
        let policy = Policy::default();
        let at = |text: &str| UtcInstant::parse_rfc3339(text).unwrap();
        let pace = |code: &str, time: &str| {
            policy.travel.at(Department::parse(code).ok(), at(time)).pace(TravelMode::Car).ms_per_m
        };
        let (night, rush, noon) =
            ("2026-11-23T03:00:00+01:00", "2026-11-23T08:30:00+01:00", "2026-11-23T12:00:00+01:00");
        assert!(pace("75", night) < pace("75", noon) && pace("75", noon) < pace("75", rush));
        assert!(pace("48", noon) < pace("75", noon));
        // The hour is that of the department: half past eight in Saint-Denis is half past five in Paris.
        assert_eq!(pace("974", "2026-11-23T08:30:00+04:00"), pace("44", rush));
    }

    #[test]
    fn beyond_the_town_the_way_goes_through_open_country() {
        let pace = Pace { base_seconds: 240, ms_per_m: 234, town_m: 10_000, open_ms_per_m: 94 };
        assert_eq!((pace.seconds(10_000), pace.seconds(87_000)), (240 + 2_340, 240 + 2_340 + 77 * 94));
    }

    proptest! {
        #[test]
        fn the_lesser_pace_is_slower_than_neither(
            a in (0_u32..900, 1_u32..900, 1_u32..30_000, 1_u32..900),
            b in (0_u32..900, 1_u32..900, 1_u32..30_000, 1_u32..900),
            distance_m in 0_u32..300_000,
        ) {
            let pace = |(base_seconds, ms_per_m, town_m, open_ms_per_m)| Pace { base_seconds, ms_per_m, town_m, open_ms_per_m };
            let (a, b) = (pace(a), pace(b));
            let least = a.at_most(b).seconds(distance_m);
            prop_assert!(least <= a.seconds(distance_m) && least <= b.seconds(distance_m));
            prop_assert!(a.seconds(distance_m) <= a.seconds(distance_m + 1));
        }
    }

    #[test]
    fn on_foot_is_slower_than_without_a_car_and_that_is_slower_than_by_car() {
        let (travel, now) = (&Policy::default().travel, UtcInstant::from_ms(0));
        let seconds = |mode| travel.at(None, now).pace(mode).seconds(5_000);
        assert!(seconds(TravelMode::Car) < seconds(TravelMode::NoCar));
        assert!(seconds(TravelMode::NoCar) < seconds(TravelMode::Walking));
    }
}

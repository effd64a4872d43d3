//! How long a way takes: the straight line, lengthened by a detour, at one speed, plus the time from door to door.

use super::policy::Policy;

/// Seconds of travel over a straight line in metres; never shorter for a longer line.
#[must_use]
pub fn travel_seconds(policy: &Policy, distance_m: u32) -> u32 {
    let on_road = u64::from(distance_m) * u64::from(policy.travel_ms_per_m) / 1_000;
    policy.travel_base_seconds.saturating_add(u32::try_from(on_road).unwrap_or(u32::MAX))
}

/// The same in minutes, rounded up, for people.
#[must_use]
pub fn travel_minutes(policy: &Policy, distance_m: u32) -> u32 {
    travel_seconds(policy, distance_m).div_ceil(60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_kilometres_take_twenty_minutes_from_door_to_door() {
        assert_eq!(travel_seconds(&Policy::default(), 0), 240);
        assert_eq!(travel_seconds(&Policy::default(), 10_000), 240 + 940);
        assert_eq!(travel_minutes(&Policy::default(), 10_000), 20);
    }
}

//! Random scenes: what the copies of the service saw of portals slot by slot, what was announced, and what is asked for.

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;
use thuocdo::model::{Calendar, Notice, Reason, Sha256, Ts, Window};
use thuocdo::rollup::Days;

pub const SECOND: i64 = 1_000_000;
pub const HOUR: i64 = 3600 * SECOND;
pub const DAY: i64 = 24 * HOUR;
/// What the portal is to blame for, and what it is not.
pub const THEIRS: [Reason; 5] = [Reason::Dns, Reason::Connect, Reason::Timeout, Reason::Http5xx, Reason::MaintenancePage];
pub const OURS: [Reason; 4] = [Reason::OwnNetwork, Reason::TlsUnsupported, Reason::AddressBlocked, Reason::Interrupted];
/// A slower answer is degraded, where the collector says so.
pub const LIMIT: Duration = Duration::from_secs(1);

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Answered within the limit.
    Quick,
    /// Answered after it.
    Slow,
    /// Not answered as it should be.
    Failed(Reason),
}

/// An attempt: by which copy, in the slot that begins when, the how manieth.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub copy: u8,
    pub slot: i64,
    pub no: u8,
    pub end: End,
}

impl std::fmt::Debug for Seen {
    /// On one line: a failing scene holds many of them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Seen { copy, slot, no, end } = self;
        f.write_str(&format!("copy {copy}, {}, no {no}: {end:?}", at(*slot)))
    }
}

/// A portal: what was seen of it and what was announced.
#[derive(Debug, Clone)]
pub struct Watched {
    pub seen: Vec<Seen>,
    pub notices: Vec<Notice>,
}

/// When portals must be up: which days, and minutes of the day in Vietnam.
#[derive(Debug, Clone)]
pub struct Service {
    pub days: Days,
    pub minutes: Vec<(i64, i64)>,
}

/// Portals over some hours, and what is asked of them.
#[derive(Debug, Clone)]
pub struct Scene {
    pub slot: i64,
    pub first_hour: i64,
    pub hours: i64,
    pub confirm: u8,
    pub has_limit: bool,
    pub portals: Vec<Watched>,
    pub window: Window,
    pub working_days: Option<u32>,
    pub degraded_is_up: bool,
    pub service: Option<Service>,
    pub calendar: Calendar,
    /// In which order the attempts come, and whatever else is left to chance.
    pub seed: u64,
}

pub fn at(micros: i64) -> Ts {
    Ts::from_micros(micros).expect("an instant of this century")
}

/// A number of each index, as good as drawn (SplitMix64).
pub fn drawn(seed: u64, index: usize) -> u64 {
    let mut z = seed ^ (index as u64).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// In an order that the seed decides.
pub fn shuffled<T: Clone>(all: &[T], seed: u64) -> Vec<T> {
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by_cached_key(|index| drawn(seed, *index));
    order.into_iter().map(|index| all[index].clone()).collect()
}

/// One look at a portal: failures, as many as the verdict takes at most, and an answer after them if there is room.
#[derive(Debug, Clone)]
struct Look {
    failures: Vec<Reason>,
    answer: Option<End>,
}

impl Look {
    fn ends(&self, confirm: u8) -> impl Iterator<Item = (u8, End)> {
        let ends = self.failures.iter().map(|reason| End::Failed(*reason)).chain(self.answer);
        (1..=confirm).zip(ends)
    }
}

/// Drawn as two numbers, because a scene has hundreds of them.
fn look() -> impl Strategy<Value = Look> {
    (0u8..16, 0usize..THEIRS.len() * OURS.len()).prop_map(|(kind, reason)| {
        let (theirs, ours) = (THEIRS[reason % THEIRS.len()], OURS[reason % OURS.len()]);
        let (failures, answer) = match kind {
            0..=4 => (vec![], Some(End::Quick)),
            5..=6 => (vec![], Some(End::Slow)),
            7 => (vec![theirs], Some(End::Quick)),
            8 => (vec![theirs, ours], Some(End::Slow)),
            9..=10 => (vec![theirs; 3], None),
            11 => (vec![theirs, ours, theirs], None),
            12 => (vec![ours; 3], None),
            13 => (vec![theirs, theirs, ours], None),
            // Stopped in the middle of the verdict.
            14 => (vec![theirs], None),
            // Nobody looked: stopped for a while, or the clock stepped over the slot.
            _ => (vec![], None),
        };
        Look { failures, answer }
    })
}

/// The looks at one slot: two if the clock was set back.
type Looks = Vec<Look>;

/// Of one copy: the first slot of which it knows something in thousandths of the time, then stretches of slots: how many,
/// and the looks that come round in them, one slot after the other.
type Script = (i64, Vec<(usize, Vec<Looks>)>);

fn script() -> impl Strategy<Value = Script> {
    let n_slots = prop_oneof![1usize..=3, 1usize..=100];
    let looks = || prop_oneof![6 => prop::collection::vec(look(), 1), 1 => prop::collection::vec(look(), 2)];
    let looks = prop_oneof![2 => prop::collection::vec(looks(), 1), 1 => prop::collection::vec(looks(), 2..=3)];
    let begins = prop_oneof![3 => Just(0i64), 1 => 0i64..900];
    (begins, prop::collection::vec((n_slots, looks), 1..16))
}

/// Seconds and microseconds after the first hour began at which it begins, seconds that it lasts, and how many seconds
/// before it began it was announced.
type Announced = (i64, i64, i64, i64);

fn announced() -> impl Strategy<Value = Announced> {
    let early = (1i64..20, 0i64..86_400).prop_map(|(days, seconds)| days * 86_400 + seconds);
    let before = prop_oneof![3 => early, 1 => 1i64..7200, 1 => Just(0i64), 1 => -7200i64..0];
    let lasts = prop_oneof![1i64..120, (1i64..120).prop_map(|minutes| minutes * 60)];
    (-3600i64..4 * 3600, select(vec![0i64, 0, 1, 999_999]), lasts, before)
}

fn service() -> impl Strategy<Value = Option<Service>> {
    let minutes = select(vec![vec![(1290, 1430)], vec![(0, 45), (1330, 1440)], vec![(450, 690), (1201, 1379)]]);
    let service = (select(vec![Days::All, Days::Working]), minutes).prop_map(|(days, minutes)| Service { days, minutes });
    prop::option::weighted(0.25, service)
}

/// Seconds and microseconds from the first hour to where a period begins, how long it is in seconds, and to what both are
/// rounded down.
type Asked = (i64, i64, i64, i64);

fn asked() -> impl Strategy<Value = Asked> {
    let begins = prop_oneof![4 => -3000i64..1000, 1 => 0i64..9000];
    (begins, select(vec![0i64, 0, 1, 999_999]), prop_oneof![1 => 1i64..5000, 3 => 5000i64..20_000], select(vec![1i64, 60, 1800, 3600]))
}

/// Scenes of so many portals, each watched by one or two copies.
pub fn scenes(n_portals: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = Scene> {
    let slot = prop_oneof![6 => Just(1800i64), 6 => Just(300i64), 6 => Just(60i64), 1 => Just(5i64)];
    // In Vietnam the evening until after midnight, from a Thursday to a Monday.
    let begins = (0i64..5, 13i64..=17);
    let portal = (prop::collection::vec(script(), 1..=2), prop::collection::vec(announced(), 0..4));
    let rules = (1u8..=3, prop::bool::weighted(0.75), select(vec![None, Some(1u32), Some(7)]), any::<bool>(), service());
    (slot, begins, 1i64..=4, rules, prop::collection::vec(portal, n_portals), asked(), any::<u64>()).prop_map(
        |(slot, (day, hour), hours, (confirm, has_limit, working_days, degraded_is_up, service), portals, asked, seed)| {
            let thursday = "2026-11-19T00:00:00Z".parse::<Ts>().expect("a Thursday").micros();
            let first_hour = thursday + day * DAY + hour * HOUR;
            // Hours of 720 slots are many already.
            let (slot, hours) = (slot * SECOND, if slot == 5 { hours.min(2) } else { hours });
            let window = period(first_hour, asked);
            let portals = portals.into_iter().map(|(scripts, notices)| Watched {
                seen: (0u8..).zip(&scripts).flat_map(|(copy, script)| seen(copy, script, (first_hour, hours, slot), confirm)).collect(),
                notices: notices.into_iter().map(|announced| notice(first_hour, announced)).collect(),
            });
            let portals = portals.collect();
            let day = |text: &str| text.parse().expect("a day");
            let calendar = Calendar { off: [day("2026-11-17")].into(), worked: [day("2026-11-14")].into() };
            Scene { slot, first_hour, hours, confirm, has_limit, portals, window, working_days, degraded_is_up, service, calendar, seed }
        },
    )
}

fn seen(copy: u8, (begins, stretches): &Script, (first_hour, hours, slot): (i64, i64, i64), confirm: u8) -> Vec<Seen> {
    let n_slots = hours * HOUR / slot;
    let looks = stretches.iter().flat_map(|(n, looks)| looks.iter().cycle().take(*n));
    let slots = (begins * n_slots / 1000..n_slots).map(|index| first_hour + index * slot).zip(looks);
    let attempts = slots.flat_map(|(slot, looks)| looks.iter().map(move |look| (slot, look)));
    attempts.flat_map(|(slot, look)| look.ends(confirm).map(move |(no, end)| Seen { copy, slot, no, end })).collect()
}

fn notice(first_hour: i64, (from_s, micros, lasts_s, before_s): Announced) -> Notice {
    let from = first_hour + from_s * SECOND + micros;
    Notice {
        target: "portal".to_owned(),
        window: Window { from: at(from), to: at(from + lasts_s * SECOND) },
        announced_at: at(from - before_s * SECOND),
        notice: Sha256::of(b"notice"),
    }
}

fn period(first_hour: i64, (from_s, micros, lasts_s, step_s): Asked) -> Window {
    let rounded = |seconds: i64| seconds.div_euclid(step_s) * step_s * SECOND + if step_s == 1 { micros } else { 0 };
    Window { from: at(first_hour + rounded(from_s)), to: at(first_hour + rounded(from_s + lasts_s)) }
}

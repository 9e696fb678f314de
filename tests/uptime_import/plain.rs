//! The rule once more, as plainly as it can be said, by a walk over what happened to one site after the other.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;

/// Seconds by state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seconds {
    pub up: i64,
    pub degraded: i64,
    pub down: i64,
    pub unknown: i64,
}

impl Seconds {
    pub fn all(self) -> i64 {
        self.up + self.degraded + self.down + self.unknown
    }

    pub fn plus(self, other: Seconds) -> Seconds {
        Seconds {
            up: self.up + other.up,
            degraded: self.degraded + other.degraded,
            down: self.down + other.down,
            unknown: self.unknown + other.unknown,
        }
    }
}

/// A monitor's file, in seconds from its first record to its last.
pub struct Plain {
    pub first: i64,
    pub last: i64,
    pub silences: Vec<(i64, i64)>,
    /// What each site is from a second on, in order: `up`, `down`, or "" for not known.
    sites: BTreeMap<String, Vec<(i64, String)>>,
}

impl Plain {
    pub fn of(csv: &str, left_out: &[&str], silence: i64) -> Plain {
        let mut records: Vec<(i64, &str, &str)> = Vec::new();
        for line in csv.lines().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            if !left_out.contains(&cells[1]) {
                records.push((DateTime::parse_from_rfc3339(cells[0]).expect("an instant").timestamp(), cells[1], cells[2]));
            }
        }
        let instants: BTreeSet<i64> = records.iter().map(|record| record.0).collect();
        let (first, last) = (*instants.first().expect("a record"), *instants.last().expect("a record"));
        let mut silences = Vec::new();
        let mut before = first;
        for instant in instants {
            if instant - before > silence {
                silences.push((before, instant));
            }
            before = instant;
        }
        let names: BTreeSet<&str> = records.iter().map(|record| record.1).collect();
        let sites = names.into_iter().map(|site| {
            let of_site: BTreeMap<i64, &str> =
                records.iter().filter(|record| record.1 == site).map(|record| (record.0, record.2)).collect();
            (site.to_owned(), walk(last, of_site, &silences))
        });
        let sites = sites.collect();
        Plain { first, last, silences, sites }
    }

    /// Sites of which anything is known.
    pub fn known_sites(&self) -> Vec<&String> {
        self.sites.keys().filter(|site| self.seconds(site, self.first, self.last).unknown < self.last - self.first).collect()
    }

    /// A stretch of a site; what lies outside the file is not known.
    pub fn seconds(&self, site: &str, from: i64, to: i64) -> Seconds {
        let mut seconds = Seconds { unknown: to - from, ..Seconds::default() };
        for pair in self.sites[site].windows(2) {
            let n = (pair[1].0.min(to) - pair[0].0.max(from)).max(0);
            match pair[0].1.as_str() {
                "up" => seconds.up += n,
                "down" => seconds.down += n,
                "" => continue,
                other => panic!("a status {other:?}"),
            }
            seconds.unknown -= n;
        }
        seconds
    }
}

fn walk(last: i64, records: BTreeMap<i64, &str>, silences: &[(i64, i64)]) -> Vec<(i64, String)> {
    // When a silence begins nothing is known any more, whatever was written at that very second.
    let mut events: BTreeMap<i64, String> = records.into_iter().map(|(at, status)| (at, status.to_owned())).collect();
    events.extend(silences.iter().map(|(from, _)| (*from, String::new())));
    events.insert(last, String::new());
    events.into_iter().collect()
}

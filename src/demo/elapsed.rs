//! How far a period has come on the simulated day, and what of a month's counts there is by then.

use super::counts::{Counts, Documents};
use super::figures::Figures;
use crate::model::{Period, PeriodKind};

/// The days of a month up to the simulated one, and all its days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Elapsed {
    pub days: u64,
    pub of: u64,
}

impl Elapsed {
    /// What of a month's count there is by then.
    pub fn of_count(self, count: u64) -> u64 {
        part_so_far(count, self.of, self.days)
    }
}

impl Figures {
    /// The days of the period up to the simulated one, inclusive; 0 before it begins, all of them once it is over.
    pub(super) fn days_elapsed(&self, period: Period) -> u64 {
        let days = (self.as_of.min(period.last()) - period.start()).num_days() + 1;
        u64::try_from(days).unwrap_or(0)
    }

    /// The months of a month, quarter or year that have begun. A day has none: nothing here is asked by day.
    pub(super) fn months_begun(&self, period: Period) -> Vec<(Period, Elapsed)> {
        let mut month = Period::holding(PeriodKind::Month, period.last());
        let mut months = Vec::new();
        while month.start() >= period.start() && period.kind() != PeriodKind::Day {
            let of = u64::try_from((month.last() - month.start()).num_days() + 1).expect("a month ends after it begins");
            months.push((month, Elapsed { days: self.days_elapsed(month), of }));
            month = month.previous();
        }
        months.retain(|(_, elapsed)| elapsed.days > 0);
        months
    }
}

/// A part follows its whole, so that neither the part nor the rest of the whole ever shrinks from a day to the next.
pub(super) fn part_so_far(part: u64, whole: u64, whole_so_far: u64) -> u64 {
    (part * whole_so_far).checked_div(whole).unwrap_or(0)
}

impl Counts {
    /// What of a whole month's counts there is by then.
    pub fn so_far(&self, elapsed: Elapsed) -> Counts {
        let received = elapsed.of_count(self.received);
        let of_received = |part| part_so_far(part, self.received, received);
        let (on_time, completed, online, obliged) =
            (of_received(self.on_time), of_received(self.completed), of_received(self.online), of_received(self.obliged));
        let postal = part_so_far(self.postal, self.received - self.online, received - online);
        let petitions = elapsed.of_count(self.petitions);
        let petitions_on_time = part_so_far(self.petitions_on_time, self.petitions, petitions);
        let petitions_tthc = part_so_far(self.petitions_tthc, self.petitions, petitions);
        let (others, others_so_far) = (self.petitions - self.petitions_tthc, petitions - petitions_tthc);
        Counts {
            received,
            on_time,
            completed,
            handling: part_so_far(self.handling, self.completed, completed),
            online,
            direct: received - online - postal,
            postal,
            synced: of_received(self.synced),
            paid: part_so_far(self.paid, self.obliged, obliged),
            obliged,
            eresult: of_received(self.eresult),
            digitised: of_received(self.digitised),
            reused: of_received(self.reused),
            stored: of_received(self.stored),
            citizen: of_received(self.citizen),
            satisfied: part_so_far(self.satisfied, self.on_time, on_time),
            petitions,
            petitions_on_time,
            petitions_satisfied: part_so_far(self.petitions_satisfied, self.petitions_on_time, petitions_on_time),
            petitions_tthc,
            petitions_staff: part_so_far(self.petitions_staff, others, others_so_far),
            documents: self.documents.so_far(elapsed),
        }
    }
}

impl Documents {
    fn so_far(&self, elapsed: Elapsed) -> Documents {
        let outgoing = elapsed.of_count(self.outgoing);
        let of_outgoing = |part| part_so_far(part, self.outgoing, outgoing);
        let (axis_due, workfiles, tasks_due) = (of_outgoing(self.axis_due), of_outgoing(self.workfiles), elapsed.of_count(self.tasks_due));
        Documents {
            outgoing,
            esigned: of_outgoing(self.esigned),
            axis_due,
            axis: part_so_far(self.axis, self.axis_due, axis_due),
            workfiles,
            workfiles_online: part_so_far(self.workfiles_online, self.workfiles, workfiles),
            tasks_due,
            tasks_on_time: part_so_far(self.tasks_on_time, self.tasks_due, tasks_due),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;
    use crate::demo::figures::tests::province_on;

    const DAYS: [&str; 8] =
        ["2025-12-31", "2026-01-01", "2026-01-20", "2026-02-28", "2026-03-31", "2026-10-08", "2026-12-31", "2027-02-01"];

    fn figures(seed: u64, day: &str) -> Figures {
        province_on(seed, 4, 4, day.parse().expect("a day of the test"))
    }

    fn period(text: &str) -> Period {
        text.parse().expect("a period of the test")
    }

    /// Every number of the province and of the bodies below it in a period: the counts, and the procedures that are not
    /// stocks.
    fn all(figures: &Figures, period: Period) -> Vec<u64> {
        let bodies = figures.children_in(period).into_iter();
        let counts = bodies.clone().map(|body| figures.counts(body, period)).chain([figures.province_counts(period)]);
        let procedures = bodies.chain([&figures.province]).map(|body| figures.procedures(body, period));
        counts
            .flat_map(numbers)
            .chain(procedures.flat_map(|p| [p.published, p.published_on_time, p.update_due, p.updated, p.active, p.paid]))
            .collect()
    }

    fn numbers(c: Counts) -> Vec<u64> {
        let d = c.documents;
        vec![
            c.received,
            c.on_time,
            c.received - c.on_time,
            c.completed,
            c.handling,
            c.online,
            c.direct,
            c.postal,
            c.synced,
            c.paid,
            c.obliged,
            c.eresult,
            c.digitised,
            c.reused,
            c.stored,
            c.citizen,
            c.satisfied,
            c.petitions,
            c.petitions_on_time,
            c.petitions_satisfied,
            c.petitions_tthc,
            c.petitions_staff,
            d.outgoing,
            d.esigned,
            d.axis_due,
            d.axis,
            d.workfiles,
            d.workfiles_online,
            d.tasks_due,
            d.tasks_on_time,
        ]
    }

    fn at_most(less: &[u64], more: &[u64]) -> bool {
        less.len() == more.len() && less.iter().zip(more).all(|(less, more)| less <= more)
    }

    #[test]
    fn a_month_is_at_most_its_quarter_and_a_quarter_its_year() {
        for seed in 0..20 {
            for day in DAYS {
                let figures = figures(seed, day);
                let year = all(&figures, period("2026"));
                for (quarter, months) in [("2026-Q1", ["2026-01", "2026-02", "2026-03"]), ("2026-Q4", ["2026-10", "2026-11", "2026-12"])] {
                    let quarter = all(&figures, period(quarter));
                    assert!(at_most(&quarter, &year), "seed {seed}, {day}");
                    assert!(months.iter().all(|month| at_most(&all(&figures, period(month)), &quarter)), "seed {seed}, {day}");
                }
            }
        }
    }

    #[test]
    fn a_period_in_its_first_month_is_that_month_and_one_to_come_is_nothing() {
        for seed in 0..20 {
            for (day, longer, month) in [
                ("2026-01-01", "2026", "2026-01"),
                ("2026-01-20", "2026-Q1", "2026-01"),
                ("2026-01-31", "2026", "2026-Q1"),
                ("2026-03-31", "2026", "2026-Q1"),
                ("2026-10-08", "2026-Q4", "2026-10"),
            ] {
                let figures = figures(seed, day);
                assert_eq!(all(&figures, period(longer)), all(&figures, period(month)), "seed {seed}, {day}");
                assert!(figures.province_counts(period(month)).received > 0, "seed {seed}, {day}");
            }
            for (day, to_come) in [("2025-12-31", "2026"), ("2026-09-30", "2026-Q4"), ("2026-10-08", "2026-11")] {
                let figures = figures(seed, day);
                assert!(all(&figures, period(to_come)).iter().all(|number| *number == 0), "seed {seed}, {day}");
            }
        }
    }

    #[test]
    fn figures_grow_from_day_to_day_and_stand_once_the_period_is_over() {
        for seed in 0..5 {
            let days: Vec<NaiveDate> = "2026-06-25".parse::<NaiveDate>().expect("a day").iter_days().take(110).collect();
            for text in ["2026-07", "2026-Q3", "2026"] {
                let asked = period(text);
                let by_day: Vec<Vec<u64>> = days.iter().map(|day| all(&province_on(seed, 4, 4, *day), asked)).collect();
                assert!(by_day.windows(2).all(|pair| at_most(&pair[0], &pair[1])), "seed {seed}, {text}");
                let over = days.iter().zip(&by_day).filter(|(day, _)| **day >= asked.last());
                assert!(over.into_iter().all(|(_, then)| *then == all(&figures(seed, "2027-02-01"), asked)), "seed {seed}, {text}");
            }
        }
    }

    #[test]
    fn half_a_month_has_about_half_its_dossiers() {
        let received = |day: &str| figures(268, day).province_counts(period("2026-06")).received;
        let (half, whole) = (received("2026-06-15"), received("2026-06-30"));
        assert!(whole > 0 && half <= whole / 2 && half + 8 >= whole / 2, "{half} of {whole}, at most one less in each of 8 bodies");
    }
}

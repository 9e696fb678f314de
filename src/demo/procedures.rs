//! Seeded counts of procedures of one body in one period: stocks, what is used of them, and what fell due.

use super::elapsed::part_so_far;
use super::figures::{Body, Figures, Oddity};
use super::random::Random;
use crate::model::{Period, UnitGroup};

/// What is counted in procedures and services; it does not add up over bodies, and only what fell due adds up over months.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Procedures {
    pub published: u64,
    pub published_on_time: u64,
    pub update_due: u64,
    pub updated: u64,
    pub public: u64,
    pub content_full: u64,
    pub authority: u64,
    pub partial: u64,
    pub full: u64,
    pub services: u64,
    pub active: u64,
    pub with_fee: u64,
    pub paid: u64,
    pub with_fee_data: u64,
    pub citizens: u64,
    pub citizens_connected: u64,
}

/// What fell due for publication.
#[derive(Debug, Clone, Copy, Default)]
struct Published {
    published: u64,
    published_on_time: u64,
    update_due: u64,
    updated: u64,
}

impl std::ops::Add for Published {
    type Output = Published;

    fn add(self, other: Published) -> Published {
        Published {
            published: self.published + other.published,
            published_on_time: self.published_on_time + other.published_on_time,
            update_due: self.update_due + other.update_due,
            updated: self.updated + other.updated,
        }
    }
}

impl Figures {
    /// Procedures of a body; the province's own when `body` is the province. Stocks stay as they are in every period.
    pub(super) fn procedures(&self, body: &Body, period: Period) -> Procedures {
        let mut stock = Random::of(self.seed, &[&body.unit.id, "procedures"]);
        let few = body.unit.unit_group != UnitGroup::Province;
        let (authority, services, with_fee, citizens) = match few {
            true => (stock.between(20, 60), stock.between(30, 200), stock.between(1, 40), stock.between(3, 80)),
            false => (stock.between(80, 140), stock.between(1_500, 2_200), stock.between(250, 400), stock.between(1_100, 1_500)),
        };
        let full = stock.part(authority, 100, 500);
        let no_fees = matches!(body.oddity, Oddity::Idle | Oddity::NoFees);
        let (active, paid) = (stock.part(services, 100, 700), stock.part(with_fee, 100, 900));
        let (public, content_full) = self.public();
        let due = self.published(body, period, public);
        Procedures {
            published: due.published,
            published_on_time: due.published_on_time,
            update_due: due.update_due,
            updated: due.updated,
            public,
            content_full,
            authority,
            full,
            partial: stock.part(authority - full, 200, 900),
            services,
            active: self.used(active, period),
            with_fee,
            paid: if no_fees { 0 } else { self.used(paid, period) },
            with_fee_data: stock.part(with_fee, 0, 600),
            citizens,
            citizens_connected: stock.part(citizens, 0, 700),
        }
    }

    /// Different procedures used so far, of those ever used: a longer time finds more of them, but ever fewer new ones.
    fn used(&self, ever: u64, period: Period) -> u64 {
        let days = self.days_elapsed(period);
        ever * days / (days + 30)
    }

    /// The public procedures of the province and those with their full content.
    fn public(&self) -> (u64, u64) {
        let mut stock = Random::of(self.seed, &[&self.province.unit.id, "public"]);
        let public = stock.between(80, 140);
        (public, stock.part(public, 900, 1_000))
    }

    /// Publication is computed for the province only and repeated by the bodies below it; nothing ever falls due for
    /// the idle body.
    fn published(&self, body: &Body, period: Period, public: u64) -> Published {
        if body.oddity == Oddity::Idle {
            return Published::default();
        }
        self.months_begun(period).into_iter().fold(Published::default(), |sum, (month, elapsed)| {
            let due = self.published_in(month, public);
            let (published, update_due) = (elapsed.of_count(due.published), elapsed.of_count(due.update_due));
            sum + Published {
                published,
                published_on_time: part_so_far(due.published_on_time, due.published, published),
                update_due,
                updated: part_so_far(due.updated, due.update_due, update_due),
            }
        })
    }

    /// What falls due in a whole month: in two months of three nothing (0/0), and in a year no more than is public.
    fn published_in(&self, month: Period, public: u64) -> Published {
        let mut moved = Random::of(self.seed, &[&self.province.unit.id, "published", &month.to_string()]);
        if moved.between(1, 3) < 3 {
            return Published::default();
        }
        let (published, update_due) = (moved.between(1, public / 12), moved.between(1, public / 12));
        Published {
            published,
            published_on_time: moved.part(published, 700, 1_000),
            update_due,
            updated: moved.part(update_due, 700, 1_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::demo::figures::tests::province_of;

    #[test]
    fn parts_stay_within_their_wholes_for_many_seeds() {
        for seed in 0..200 {
            let figures = province_of(seed, 6, 6);
            for period in ["2026", "2026-Q3", "2026-08"].map(|text| text.parse().expect("a period")) {
                for body in figures.children_in(period).into_iter().chain([&figures.province]) {
                    let p = figures.procedures(body, period);
                    for (part, whole) in [
                        (p.published_on_time, p.published),
                        (p.published, p.public),
                        (p.updated, p.update_due),
                        (p.update_due, p.public),
                        (p.content_full, p.public),
                        (p.partial + p.full, p.authority),
                        (p.active, p.services),
                        (p.paid, p.with_fee),
                        (p.with_fee_data, p.with_fee),
                        (p.citizens_connected, p.citizens),
                    ] {
                        assert!(part <= whole, "seed {seed}, {}: {p:?}", body.unit.id);
                    }
                }
            }
        }
    }
}

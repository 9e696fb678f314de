//! Seeded counts of one body in one period, which add up over months and over bodies.

use super::figures::{Body, Figures, Oddity};
use super::random::Random;
use crate::model::{Period, UnitGroup};

/// What adds up over months and over bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    pub received: u64,
    pub on_time: u64,
    pub completed: u64,
    /// Hundredths of days spent on the completed dossiers.
    pub handling: u64,
    pub online: u64,
    pub direct: u64,
    pub postal: u64,
    pub synced: u64,
    pub paid: u64,
    pub obliged: u64,
    pub eresult: u64,
    pub digitised: u64,
    pub reused: u64,
    pub stored: u64,
    pub citizen: u64,
    pub satisfied: u64,
    pub petitions: u64,
    pub petitions_on_time: u64,
    pub petitions_satisfied: u64,
    pub petitions_tthc: u64,
    pub petitions_staff: u64,
    pub documents: Documents,
}

/// What the document system counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Documents {
    pub outgoing: u64,
    pub esigned: u64,
    pub axis_due: u64,
    pub axis: u64,
    pub workfiles: u64,
    pub workfiles_online: u64,
    pub tasks_due: u64,
    pub tasks_on_time: u64,
}

impl std::ops::Add for Counts {
    type Output = Counts;

    fn add(self, other: Counts) -> Counts {
        Counts {
            received: self.received + other.received,
            on_time: self.on_time + other.on_time,
            completed: self.completed + other.completed,
            handling: self.handling + other.handling,
            online: self.online + other.online,
            direct: self.direct + other.direct,
            postal: self.postal + other.postal,
            synced: self.synced + other.synced,
            paid: self.paid + other.paid,
            obliged: self.obliged + other.obliged,
            eresult: self.eresult + other.eresult,
            digitised: self.digitised + other.digitised,
            reused: self.reused + other.reused,
            stored: self.stored + other.stored,
            citizen: self.citizen + other.citizen,
            satisfied: self.satisfied + other.satisfied,
            petitions: self.petitions + other.petitions,
            petitions_on_time: self.petitions_on_time + other.petitions_on_time,
            petitions_satisfied: self.petitions_satisfied + other.petitions_satisfied,
            petitions_tthc: self.petitions_tthc + other.petitions_tthc,
            petitions_staff: self.petitions_staff + other.petitions_staff,
            documents: self.documents + other.documents,
        }
    }
}

impl std::ops::Add for Documents {
    type Output = Documents;

    fn add(self, other: Documents) -> Documents {
        Documents {
            outgoing: self.outgoing + other.outgoing,
            esigned: self.esigned + other.esigned,
            axis_due: self.axis_due + other.axis_due,
            axis: self.axis + other.axis,
            workfiles: self.workfiles + other.workfiles,
            workfiles_online: self.workfiles_online + other.workfiles_online,
            tasks_due: self.tasks_due + other.tasks_due,
            tasks_on_time: self.tasks_on_time + other.tasks_on_time,
        }
    }
}

impl Figures {
    /// Counts of the province: the sum over the bodies below it.
    pub(super) fn province_counts(&self, period: Period) -> Counts {
        self.children_in(period).iter().fold(Counts::default(), |sum, body| sum + self.counts(body, period))
    }

    /// Counts of a body below the province up to the simulated day: the sum over the months of the period, of which
    /// the open one gives its share of days.
    pub(super) fn counts(&self, body: &Body, period: Period) -> Counts {
        let months = self.months_begun(period).into_iter().filter(|(month, _)| body.unit.existed_in(*month));
        months.fold(Counts::default(), |sum, (month, elapsed)| sum + self.month(body, month).so_far(elapsed))
    }

    /// One whole month of one body: how large and how good it is stays, the month moves it a little.
    fn month(&self, body: &Body, month: Period) -> Counts {
        let mut kept = Random::of(self.seed, &[&body.unit.id, "size and quality"]);
        let size = match body.unit.unit_group {
            UnitGroup::Department => kept.between(30, 2_500),
            UnitGroup::Province | UnitGroup::District | UnitGroup::Commune => kept.between(150, 900),
        };
        let drawn = kept.between(550, 1_000);
        // What cannot be ranked makes the places uncertain that it could take, so it is put where it can take few.
        let quality = if body.oddity == Oddity::Unlisted { 550 } else { drawn };
        let mut moved = Random::of(self.seed, &[&body.unit.id, "month", &month.to_string()]);
        let documents = documents(&mut moved, size, quality);
        match body.oddity {
            Oddity::Idle => Counts { documents, ..Counts::default() },
            Oddity::NoFees => Counts { paid: 0, obliged: 0, ..dossiers(&mut moved, size, quality, documents) },
            Oddity::None | Oddity::Unlisted => dossiers(&mut moved, size, quality, documents),
        }
    }
}

fn dossiers(moved: &mut Random, size: u64, quality: u64, documents: Documents) -> Counts {
    let received = moved.part(size, 600, 1_000);
    let on_time = moved.part(received, quality, quality + 40);
    let completed = moved.part(received, 700, 980);
    let online = moved.part(received, quality / 2, 980);
    let postal = moved.part(received - online, 0, 300);
    let obliged = moved.part(received, 200, 800);
    // Petitions are rare: most bodies have none in a month, some none in a year.
    let petitions = moved.between(0, 20).saturating_sub(18);
    let petitions_on_time = moved.part(petitions, 0, 1_000);
    let petitions_tthc = moved.part(petitions, 0, 1_000);
    Counts {
        received,
        on_time,
        completed,
        handling: completed * moved.between(100, 900),
        online,
        direct: received - online - postal,
        postal,
        synced: moved.part(received, 800, 1_050),
        paid: moved.part(obliged, 300, 1_000),
        obliged,
        eresult: moved.part(received, quality / 2, 950),
        digitised: moved.part(received, 150, quality),
        reused: moved.part(received, 0, 900),
        stored: moved.part(received, 0, 30),
        citizen: moved.part(received, 300, 1_000),
        // Satisfaction counts the dossiers on time less those with a petition.
        satisfied: on_time.saturating_sub(petitions),
        petitions,
        petitions_on_time,
        petitions_satisfied: moved.part(petitions_on_time, 500, 1_000),
        petitions_tthc,
        petitions_staff: moved.part(petitions - petitions_tthc, 0, 1_000),
        documents,
    }
}

fn documents(moved: &mut Random, size: u64, quality: u64) -> Documents {
    let outgoing = moved.part(size, 300, 900) + 20;
    let axis_due = moved.part(outgoing, 500, 900);
    let workfiles = moved.part(outgoing, 400, 900);
    let tasks_due = moved.between(5, 60);
    Documents {
        outgoing,
        esigned: moved.part(outgoing, quality, quality + 60),
        axis_due,
        axis: moved.part(axis_due, quality, quality + 50),
        workfiles,
        workfiles_online: moved.part(workfiles, quality - 100, quality),
        tasks_due,
        tasks_on_time: moved.part(tasks_due, quality - 100, 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::figures::tests::province_of;

    /// Everything that is a part of something, with its whole.
    fn pairs(counts: Counts) -> Vec<(u64, u64)> {
        let d = counts.documents;
        let mut pairs: Vec<(u64, u64)> = [
            counts.on_time,
            counts.completed,
            counts.online,
            counts.synced,
            counts.obliged,
            counts.eresult,
            counts.digitised,
            counts.reused,
            counts.stored,
            counts.citizen,
            counts.satisfied,
        ]
        .map(|part| (part, counts.received))
        .into();
        let petitions = [counts.petitions_on_time, counts.petitions_satisfied, counts.petitions_tthc + counts.petitions_staff];
        pairs.extend(petitions.map(|part| (part, counts.petitions)));
        pairs.push((counts.paid, counts.obliged));
        pairs.extend([(d.esigned, d.outgoing), (d.axis_due, d.outgoing), (d.axis, d.axis_due)]);
        pairs.extend([(d.workfiles_online, d.workfiles), (d.tasks_on_time, d.tasks_due)]);
        pairs
    }

    #[test]
    fn parts_stay_within_their_wholes_for_many_seeds() {
        for seed in 0..200 {
            let figures = province_of(seed, 6, 6);
            for period in ["2026", "2026-Q3", "2026-08"].map(|text| text.parse().expect("a period")) {
                for body in figures.children_in(period) {
                    let counts = figures.counts(body, period);
                    assert!(pairs(counts).iter().all(|(part, whole)| part <= whole), "seed {seed}, {}: {counts:?}", body.unit.id);
                    assert_eq!(counts.online + counts.direct + counts.postal, counts.received);
                }
            }
        }
    }

    #[test]
    fn months_add_up_and_closed_months_stand() {
        let figures = province_of(3, 4, 4);
        let counts = |text: &str| figures.province_counts(text.parse().expect("a period"));
        assert_eq!(counts("2026-07") + counts("2026-08") + counts("2026-09"), counts("2026-Q3"));
        assert_eq!(counts("2026-08"), province_of(3, 4, 4).province_counts("2026-08".parse().expect("a month")));
        assert_ne!(counts("2026-08"), counts("2026-07"));
    }

    #[test]
    fn the_awkward_bodies_are_there() {
        let figures = province_of(11, 16, 54);
        let year = "2026".parse().expect("a year");
        let all: Vec<Counts> = figures.children_in(year).into_iter().map(|body| figures.counts(body, year)).collect();
        assert_eq!(all.iter().filter(|counts| counts.received == 0).count(), 1);
        assert_eq!(all.iter().filter(|counts| counts.received > 0 && counts.obliged == 0).count(), 1);
        assert!(all.iter().any(|counts| counts.received > 0 && counts.petitions == 0), "petitions 0/0");
    }
}

//! Files in a drop folder: which are taken when, and that an older one undoes no newer one.

use thuocdo::model::{Exact, Reason, RunState, Value};

use crate::installation::Installation;
use crate::{on_both, ts};

/// A collector of one count per unit; the gate decides which answers it takes.
fn files(gate: &str) -> Vec<(String, String)> {
    let text = format!(
        "schema = 1\nid = \"dropped\"\ntitle = {{ vi = \"Tệp\", en = \"Files\" }}\nowner = \"test\"\n\
         [schedule]\ncron = \"0 6 * * *\"\n[source.file]\nglob = \"*.json\"\nsettle = \"1ms\"\n\
         [[rows]]\nfrom = {{ json = \"$[*]\" }}\nunit = {{ value = \"$.unit\", codes = \"dropped\" }}\nperiod = {{ year = \"2026\" }}\n\
         [[rows.read]]\nindicator = \"dossier_processed_count\"\nvalue = \"$.count\"\n{gate}"
    );
    let codes = "code,unit,valid_from,valid_to\nH49,H49,,\nH44,H44,,\n".to_owned();
    vec![("collectors/dropped.toml".to_owned(), text), ("registry/codes/dropped.csv".to_owned(), codes)]
}

const STRICT: &str = "[[gate]]\nrange = { indicator = \"dossier_processed_count\", min = \"5\" }\n";

/// Runs on a day of October; how it ended, and then the known counts by unit.
async fn run(installation: &Installation, day: u32) -> (RunState, Vec<(String, Value)>) {
    let at = ts(&format!("2026-10-{day:02}T00:00:00Z"));
    let ran = installation.run("dropped", at).await;
    let known = installation.known(at).await.into_iter().map(|seen| (seen.unit, seen.value)).collect();
    (ran.state, known)
}

fn counts(counts: &[(&str, i64)]) -> Vec<(String, Value)> {
    counts.iter().map(|(unit, count)| ((*unit).to_owned(), Value::Number(Exact::from(*count)))).collect()
}

#[tokio::test]
async fn an_older_file_undoes_no_newer_one() {
    on_both("an_older_file_undoes_no_newer_one", async |db| {
        let strict = Installation::new(&db, files(STRICT));
        strict.drop_in("1.json", br#"[{"unit":"H49","count":1},{"unit":"H44","count":2}]"#);
        assert_eq!(run(&strict, 1).await, (RunState::Quarantined, counts(&[])));
        strict.drop_in("2.json", br#"[{"unit":"H49","count":7}]"#);
        assert_eq!(run(&strict, 2).await, (RunState::Partial, counts(&[("H49", 7)])));

        // The gate was wrong and is gone: the first file is taken now, but not over the second.
        let mut mended = Installation::new(&db, files(""));
        mended.settings.drop.clone_from(&strict.settings.drop);
        assert_eq!(run(&mended, 3).await, (RunState::Recorded, counts(&[("H44", 2), ("H49", 7)])));

        // A source that goes back to earlier figures restates them.
        mended.drop_in("3.json", br#"[{"unit":"H49","count":8}]"#);
        assert_eq!(run(&mended, 4).await, (RunState::Recorded, counts(&[("H44", 2), ("H49", 8)])));
        mended.drop_in("4.json", br#"[{"unit":"H49","count":7}]"#);
        assert_eq!(run(&mended, 5).await, (RunState::Recorded, counts(&[("H44", 2), ("H49", 7)])));
    })
    .await;
}

#[tokio::test]
async fn of_two_new_files_that_differ_the_newer_one_holds() {
    on_both("of_two_new_files_that_differ_the_newer_one_holds", async |db| {
        let installation = Installation::new(&db, files(""));
        installation.drop_in("2.json", br#"[{"unit":"H49","count":1},{"unit":"H44","count":2}]"#);
        installation.drop_in("1.json", br#"[{"unit":"H49","count":7}]"#);
        assert_eq!(run(&installation, 1).await, (RunState::Recorded, counts(&[("H44", 2), ("H49", 7)])));
        let of_run = thuocdo::model::RunId { collector: "dropped".to_owned(), due_at: ts("2026-10-01T00:00:00Z") };
        let findings = db.findings(&of_run).await.expect("the database answers");
        assert_eq!(findings.iter().map(|(no, finding)| (*no, finding.reason)).collect::<Vec<_>>(), [(1, Reason::DuplicateKey)]);
    })
    .await;
}

//! Our own trouble: a run that is done already, evidence that was changed, an archive that cannot be written.

use std::fs;
use std::process::{Command, Output};

use thuocdo::collect::run::RunError;
use thuocdo::model::{Reason, RunId, RunState};

use crate::server::{Act, answer, head, serve};
use crate::world::{COLLECTOR, PORTAL, World};
use crate::{AT, GOOD, JSON};

fn run_id() -> RunId {
    format!("faulty@{AT}").parse().expect("a run")
}

async fn good_world() -> World {
    let server = serve(vec![Act::Send(answer(200, JSON, GOOD))]).await;
    World::new(&server.base).await
}

#[tokio::test]
async fn a_run_is_made_once_for_each_due_instant() {
    let world = good_world().await;
    world.run(COLLECTOR, AT).await.expect("the first");
    let again = world.run(COLLECTOR, AT).await.expect_err("the second");
    assert!(matches!(&again, RunError::NotOurs(run) if *run == run_id()), "{again:?}");
    assert_eq!(
        again.to_string(),
        "the run faulty@2026-09-26T06:30:00Z is done or at work already; a run is made once for each due instant: \
         run it --at another one, or read it again with replay"
    );
    assert_eq!(world.observations().await.len(), 1);
    assert_eq!(world.db.run(&run_id()).await.expect("the database").expect("the run").attempt, 1);
}

#[tokio::test]
async fn nothing_is_recorded_without_its_evidence_and_the_run_can_be_made_again() {
    for obstacle in ["a file in the folder's place", "a folder that cannot be written"] {
        let world = good_world().await;
        let folder = world.folder.path().join("evidence");
        if obstacle.starts_with("a file") {
            fs::write(&folder, "in the way").expect("a file");
        } else {
            fs::create_dir(&folder).expect("a folder");
            set_mode(&folder, 0o500);
            if fs::write(folder.join("probe"), "").is_ok() {
                eprintln!("skipped: {obstacle}: this user may write everywhere");
                continue;
            }
        }
        let error = world.run(COLLECTOR, AT).await.expect_err(obstacle);
        assert!(matches!(&error, RunError::Archive(_)), "{obstacle}: {error:?}");
        let said = error.to_string();
        assert!(said.starts_with("evidence ") && said.contains(&folder.display().to_string()), "{obstacle}: {said}");
        assert_eq!(world.observations().await, [], "{obstacle}");
        assert_eq!(world.db.evidence().await.expect("the database"), [], "{obstacle}");
        let row = world.db.run(&run_id()).await.expect("the database").expect("the run");
        assert_eq!((row.state, row.retry_at.is_some()), (RunState::Failed, true), "{obstacle}: given back");

        if obstacle.starts_with("a file") {
            fs::remove_file(&folder).expect("gone")
        } else {
            set_mode(&folder, 0o700)
        }
        let ran = world.run(COLLECTOR, AT).await.expect("mended");
        assert_eq!((ran.state, world.observations().await.len()), (RunState::Recorded, 1), "{obstacle}");
        assert_eq!(world.db.run(&run_id()).await.expect("the database").expect("the run").attempt, 2, "{obstacle}");
    }
}

#[tokio::test]
async fn a_part_of_an_answer_is_kept_and_never_read() {
    // What came reads well, but the source said that there is more.
    let cut = [head(200, &format!("{JSON}content-length: 4000\r\n")), GOOD.to_vec()].concat();
    let server = serve(vec![Act::Send(cut)]).await;
    let world = World::new(&server.base).await;
    let ran = world.run(COLLECTOR, AT).await.expect("a run");
    assert_eq!((ran.state, ran.requests[0].request.size_bytes), (RunState::Failed, GOOD.len() as i64));
    let replay = thuocdo(&world, &["--format", "json", "replay", &format!("faulty@{AT}"), "--record"]);
    assert_eq!(replay.status.code(), Some(1), "nothing was recorded: {replay:?}");
    assert_eq!(world.observations().await, []);
    let newest = &world.db.runs(Some("faulty"), 1).await.expect("the database")[0];
    assert_eq!(
        (newest.state, world.db.requests(&newest.run).await.expect("the database")[0].reason),
        (RunState::Failed, Some(Reason::Protocol))
    );
}

fn set_mode(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("permissions of our own folder");
}

/// The program itself, with the world's database and archive.
fn thuocdo(world: &World, arguments: &[&str]) -> Output {
    let folder = world.folder.path();
    let settings = format!(
        "store = {:?}\nevidence = {:?}\n[province]\nunit = \"H49\"\nnpsp = \"root-1\"\n[rewrite]\n{PORTAL:?} = {:?}\n",
        format!("sqlite:{}", folder.join("t.db").display()),
        folder.join("evidence"),
        world.settings.rewrite[PORTAL],
    );
    let path = folder.join("thuocdo.toml");
    fs::write(&path, settings).expect("settings");
    let mut command = Command::new(env!("CARGO_BIN_EXE_thuocdo"));
    command.env_remove("THUOCDO_STORE").env_remove("THUOCDO_EVIDENCE").arg("--settings").arg(path);
    command.args(arguments).output().expect("the program of this build")
}

#[tokio::test]
async fn verify_names_evidence_that_was_changed_or_lost() {
    let world = good_world().await;
    let ran = world.run(COLLECTOR, AT).await.expect("a run");
    let sha256 = ran.requests[0].request.evidence.clone().expect("evidence");
    let path = world.archive.path(&sha256);
    let good = fs::read(&path).expect("kept");
    let said = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();

    let output = thuocdo(&world, &["verify"]);
    assert!(output.status.success() && said(&output).contains("1 of 1 bodies are as they were received"), "{output:?}");

    let forged = zstd::encode_all(&b"{\"code\":\"OK\"}"[..], 3).expect("packed");
    for (name, bytes, words) in [
        ("forged", Some(forged.as_slice()), "was changed"),
        ("cut", Some(&good[..good.len() / 2]), "incomplete frame"),
        ("emptied", Some(&b""[..]), "incomplete frame"),
        ("not packed", Some(GOOD), "Unknown frame descriptor"),
        ("gone", None, "No such file"),
    ] {
        match bytes {
            Some(bytes) => fs::write(&path, bytes).expect("changed"),
            None => fs::remove_file(&path).expect("removed"),
        }
        let output = thuocdo(&world, &["verify"]);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{name}: {output:?}");
        assert!(said.contains(sha256.hex()) && said.contains(words) && said.contains("0 of 1 bodies"), "{name}: {said}");
        let replay = thuocdo(&world, &["replay", &format!("faulty@{AT}"), "--record"]);
        assert_eq!(replay.status.code(), Some(1), "{name}: nothing is replayed from other bytes: {replay:?}");
    }
    fs::write(&path, good).expect("restored");
    assert!(thuocdo(&world, &["verify"]).status.success());
    assert_eq!(world.observations().await.len(), 1, "no replay recorded anything");
}

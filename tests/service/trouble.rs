//! Trouble of our own: a locked, vanished, read-only or full database. Runs wait, nothing recorded is lost, no source is
//! blamed, and the service goes on by itself.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use thuocdo::model::{Reason, RunState};
use thuocdo::store::Db;
use tokio::net::{TcpListener, TcpStream};

use crate::databases;
use crate::world::{Copy, World, collector, portal, until};

/// Attempts recorded so far; none of them blames the source.
async fn recorded(db: &Db) -> usize {
    let attempts = db.attempts("c1", i64::MAX).await.expect("rows");
    let blamed: Vec<_> =
        attempts.iter().filter(|row| row.state != RunState::Recorded && !row.reason.is_some_and(Reason::is_ours)).collect();
    assert!(blamed.is_empty(), "{blamed:#?}");
    attempts.iter().filter(|row| row.state == RunState::Recorded).count()
}

async fn goes_on(db: &Db, since: usize) {
    until("runs are recorded again", Duration::from_secs(60), async || recorded(db).await > since + 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_database_is_waited_for() {
    let portal = portal().await;
    let world = World::new(None, &[("c1", collector("c1", &portal.base, ""))], "canary = false");
    world.owe(&["c1"], 3000).await;
    let mut copy = world.start();
    copy.says("ended: recorded", 3).await;
    let db = world.db().await;
    let Db::Sqlite { write, .. } = &db else { panic!("not a file") };
    let lock = write.begin_with("begin immediate").await.expect("the lock");
    // Longer than the busy timeout of 5 s.
    copy.says("database is locked", 1).await;
    let before = recorded(&db).await;
    lock.rollback().await.expect("given back");
    goes_on(&db, before).await;
    copy.signal("TERM");
    assert!(copy.ended(Duration::from_secs(30)).await.success());
    db.close().await;
}

/// Passes connections on to the server, until it is cut: then every connection ends, and new ones are refused or hang.
struct Proxy {
    address: String,
    is_cut: Arc<AtomicBool>,
}

async fn proxy(to: String) -> Proxy {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let is_cut = Arc::new(AtomicBool::new(false));
    let cut = Arc::clone(&is_cut);
    tokio::spawn(async move {
        while let Ok((mut inside, _)) = listener.accept().await {
            let (to, cut) = (to.clone(), Arc::clone(&cut));
            tokio::spawn(async move {
                if cut.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(mut outside) = TcpStream::connect(&to).await else { return };
                let until_cut = async {
                    while !cut.load(Ordering::SeqCst) {
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                };
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut inside, &mut outside) => {}
                    () = until_cut => {}
                }
            });
        }
    });
    Proxy { address, is_cut }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_goes_away_is_waited_for() {
    let Some(server) = databases::server() else {
        return eprintln!("skipped: a_server_that_goes_away_is_waited_for: THUOCDO_TEST_POSTGRES is not set");
    };
    let direct = databases::new_database(&server).await;
    let mut url: url::Url = direct.parse().expect("an address");
    let host = format!("{}:{}", url.host_str().expect("a host"), url.port().expect("a port"));
    let proxy = proxy(host).await;
    url.set_port(proxy.address.rsplit(':').next().and_then(|port| port.parse().ok())).expect("a port");
    let portal = portal().await;
    portal.state.delay_ms.store(100, Ordering::SeqCst);
    let world = World::new(Some(url.to_string()), &[("c1", collector("c1", &portal.base, ""))], "canary = false");
    world.owe(&["c1"], 3000).await;
    let mut copy = world.start();
    copy.says("ended: recorded", 3).await;
    let db = Db::open(&direct).await.expect("the database");
    for _ in 0..2 {
        proxy.is_cut.store(true, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_secs(3)).await;
        let before = recorded(&db).await;
        proxy.is_cut.store(false, Ordering::SeqCst);
        goes_on(&db, before).await;
    }
    assert!(
        copy.log().contains("the database does not take the run") || copy.log().contains("cannot plan or claim runs"),
        "{}",
        copy.log()
    );
    copy.signal("TERM");
    assert!(copy.ended(Duration::from_secs(30)).await.success());
    db.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_takes_no_writes_is_waited_for() {
    let Some(server) = databases::server() else {
        return eprintln!("skipped: a_server_that_takes_no_writes_is_waited_for: THUOCDO_TEST_POSTGRES is not set");
    };
    let address = databases::new_database(&server).await;
    let portal = portal().await;
    let world = World::new(Some(address.clone()), &[("c1", collector("c1", &portal.base, ""))], "canary = false");
    world.owe(&["c1"], 3000).await;
    let mut copy = world.start();
    copy.says("ended: recorded", 3).await;
    let db = Db::open(&address).await.expect("the database");
    set_read_only(&address, true).await;
    copy.says("read-only transaction", 1).await;
    let before = recorded(&db).await;
    set_read_only(&address, false).await;
    goes_on(&db, before).await;
    copy.signal("TERM");
    assert!(copy.ended(Duration::from_secs(30)).await.success());
    db.close().await;
}

/// Lets a database take writes or not, for sessions that begin from now on; ends the others.
async fn set_read_only(url: &str, is_read_only: bool) {
    let mut admin: url::Url = url.parse().expect("an address");
    let name = admin.path().trim_start_matches('/').to_owned();
    admin.set_path("/postgres");
    let mut admin = PgConnection::connect(admin.as_str()).await.expect("the server answers");
    for statement in [
        format!("alter database {name} set default_transaction_read_only = {is_read_only}"),
        format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"),
    ] {
        // Safe: the name is made of numbers.
        admin.execute(AssertSqlSafe(statement)).await.expect("done");
    }
}

/// A small file system of its own, where this user may mount one; it goes when this is dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mounted() -> Option<SmallDisk> {
        let folder = tempfile::tempdir().expect("a folder");
        mount(&["-t", "tmpfs", "-o", "size=12m", "tmpfs"], folder.path()).then_some(SmallDisk(folder))
    }

    fn remount(&self, how: &str) {
        assert!(mount(&["-o", &format!("remount,{how}")], self.0.path()), "remounted {how}");
    }
}

fn mount(arguments: &[&str], at: &std::path::Path) -> bool {
    Command::new("mount").args(arguments).arg(at).output().is_ok_and(|output| output.status.success())
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A process that still lives there keeps it until it ends.
        let _gone = Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

async fn on_small_disk(disk: &SmallDisk) -> (World, Copy) {
    let portal = portal().await;
    let folder = tempfile::Builder::new().tempdir_in(disk.0.path()).expect("a folder there");
    let world = World::in_folder(folder, None, &[("c1", collector("c1", &portal.base, ""))], "canary = false");
    world.owe(&["c1"], 3000).await;
    let mut copy = world.start();
    copy.says("ended: recorded", 3).await;
    (world, copy)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_waited_for() {
    let Some(disk) = SmallDisk::mounted() else {
        return eprintln!("skipped: a_full_disk_is_waited_for: this user may not mount a small disk");
    };
    let (world, mut copy) = on_small_disk(&disk).await;
    let filling = world.path().join("filling");
    let full = std::fs::write(&filling, vec![b'x'; 64 << 20]);
    assert!(full.is_err(), "the disk is full");
    // The log lies on the same disk and says nothing more, so the store is asked.
    tokio::time::sleep(Duration::from_secs(4)).await;
    std::fs::remove_file(&filling).expect("room again");
    let db = world.db().await;
    let before = recorded(&db).await;
    goes_on(&db, before).await;
    copy.signal("TERM");
    assert!(copy.ended(Duration::from_secs(30)).await.success());
    db.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_disk_is_waited_for() {
    let Some(disk) = SmallDisk::mounted() else {
        return eprintln!("skipped: a_read_only_disk_is_waited_for: this user may not mount a small disk");
    };
    let (world, mut copy) = on_small_disk(&disk).await;
    copy.signal("TERM");
    assert!(copy.ended(Duration::from_secs(30)).await.success());
    disk.remount("ro");
    let read_only = thuocdo::settings::Settings { store: world.store.clone(), ..Default::default() };
    let refused = thuocdo::serve::start::alone(&read_only).expect_err("nothing can be written");
    assert_eq!(refused.exit_code(), 3, "{refused}");
    disk.remount("rw");
    let mut copy = world.start();
    let db = world.db().await;
    let before = recorded(&db).await;
    goes_on(&db, before).await;
    copy.signal("TERM");
    assert!(copy.ended(Duration::from_secs(30)).await.success());
    db.close().await;
}

//! Both folders of migrations make the same logical columns, and the file of SQLite is private.

use std::collections::BTreeSet;

use thuocdo::store::Db;

use super::on_both;

/// Table, column, whether it may be null.
type Column = (String, String, bool);

#[tokio::test]
async fn both_databases_have_the_same_columns() {
    const SQLITE: &str = "
        select t.name, c.name, c.\"notnull\" = 0
        from sqlite_schema t join pragma_table_info(t.name) c
        where t.type = 'table' and t.name not like '\\_sqlx%' escape '\\' and t.name not like 'sqlite%'";
    const POSTGRES: &str = "
        select table_name::text, column_name::text, is_nullable = 'YES'
        from information_schema.columns
        where table_schema = 'public' and table_name not like '\\_sqlx%'";
    let columns: BTreeSet<Column> = on_both("both_databases_have_the_same_columns", async |db: Db| {
        let columns: Result<Vec<Column>, _> = match &db {
            Db::Sqlite { read, .. } => sqlx::query_as(SQLITE).fetch_all(read).await,
            Db::Postgres(pool) => sqlx::query_as(POSTGRES).fetch_all(pool).await,
        };
        columns.expect("a catalogue").into_iter().collect()
    })
    .await;
    let tables: BTreeSet<&str> = columns.iter().map(|(table, _, _)| table.as_str()).collect();
    assert_eq!(
        tables.into_iter().collect::<Vec<_>>(),
        [
            "alert",
            "attempt",
            "availability_day",
            "availability_hour",
            "availability_interval",
            "certificate",
            "checked",
            "finding",
            "gate_result",
            "horizon",
            "host_rate",
            "lease",
            "missed",
            "observation",
            "quarantined_reading",
            "request",
            "run",
            "schedule",
            "score_run",
            "series",
            "shape",
            "spec",
            "target"
        ]
    );
}

#[tokio::test]
async fn an_open_database_opens_again_and_keeps_what_it_was_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite:{}", folder.path().join("một.db").display());
    let db = Db::open(&url).await.expect("a new file opens");
    let Db::Sqlite { write, read } = &db else { panic!("not a file") };
    for (pragma, expected) in
        [("pragma synchronous", 2), ("pragma temp_store", 2), ("pragma busy_timeout", 5000), ("pragma foreign_keys", 1)]
    {
        let value: i64 = sqlx::query_scalar(pragma).fetch_one(write).await.expect("a pragma");
        assert_eq!(value, expected, "{pragma}");
    }
    let refused = sqlx::query("delete from run").execute(read).await.expect_err("readers cannot write");
    assert!(refused.to_string().contains("readonly"), "{refused}");
    #[cfg(unix)]
    for file in std::fs::read_dir(folder.path()).expect("the folder") {
        use std::os::unix::fs::PermissionsExt;
        let file = file.expect("an entry");
        assert_eq!(file.metadata().expect("its mode").permissions().mode() & 0o777, 0o600, "{:?}", file.file_name());
    }
    db.close().await;
    Db::open(&url).await.expect("an existing file opens").close().await;
}

//! The two folders of migrations make the same tables.

use std::collections::BTreeSet;

use ringdown::store::Db;
use sqlx::{PgPool, SqlitePool};

use crate::world::postgres;

/// What there is, a line each, in words that are the same for both.
type Schema = BTreeSet<String>;

/// A column: type, whether it may be null, whether it is of the primary key.
fn column(table: &str, name: &str, kind: &str, null: bool, key: i64) -> String {
    format!("{table}.{name}: {kind}{}{}", if null { " null" } else { "" }, if key > 0 { " key" } else { "" })
}

fn index(table: &str, name: &str, unique: bool, columns: &str, only: &str) -> String {
    let only: String = only.to_lowercase().replace("::text", "").chars().filter(|c| !"() ".contains(*c)).collect();
    format!("{table}: {}index {name} on {columns} where {only}", if unique { "unique " } else { "" })
}

/// PostgreSQL tells instants and flags from texts and numbers; SQLite has them by their names.
fn kind_in_sqlite(name: &str, kind: &str) -> &'static str {
    match (name, kind) {
        (name, "TEXT") if name == "at" || name.ends_with("_at") => "instant",
        ("cancelled" | "verified", "INTEGER") => "flag",
        (_, "TEXT") => "text",
        (_, "INTEGER") => "integer",
        other => panic!("{other:?} has no place in both databases"),
    }
}

fn kind_in_postgres(kind: &str) -> &'static str {
    match kind {
        "timestamp with time zone" => "instant",
        "boolean" => "flag",
        "text" => "text",
        "bigint" => "integer",
        other => panic!("{other} has no place in both databases"),
    }
}

async fn sqlite(pool: &SqlitePool) -> Schema {
    let columns: Vec<(String, String, String, i64, i64)> = sqlx::query_as(
        "select m.name, c.name, c.type, c.\"notnull\", c.pk from sqlite_master m join pragma_table_info(m.name) c \
         where m.type = 'table'",
    )
    .fetch_all(pool)
    .await
    .expect("the columns");
    let indexes: Vec<(String, String, i64, String, String)> = sqlx::query_as(
        "select m.name, i.name, i.\"unique\", (select group_concat(name) from (select name from \
         pragma_index_info(i.name) order by seqno)), (select sql from sqlite_master s where s.name = i.name) \
         from sqlite_master m join pragma_index_list(m.name) i where m.type = 'table' and i.origin = 'c'",
    )
    .fetch_all(pool)
    .await
    .expect("the indexes");
    let references: Vec<(String, String, String)> = sqlx::query_as(
        "select m.name, f.\"from\", f.\"table\" from sqlite_master m join pragma_foreign_key_list(m.name) f \
         where m.type = 'table'",
    )
    .fetch_all(pool)
    .await
    .expect("the references");
    let columns = columns.iter().filter(|(table, ..)| is_ours(table)).map(|(table, name, kind, not_null, key)| {
        column(table, name, kind_in_sqlite(name, kind), *not_null == 0 && *key == 0, *key)
    });
    let indexes = indexes.iter().map(|(table, name, unique, columns, sql)| {
        index(table, name, *unique == 1, columns, sql.split_once(" where ").map_or("", |(_, only)| only))
    });
    let references = references.iter().map(|(table, name, other)| format!("{table}.{name} -> {other}"));
    columns.chain(indexes).chain(references).collect()
}

async fn postgres(pool: &PgPool) -> Schema {
    let columns: Vec<(String, String, String, bool, bool)> = sqlx::query_as(
        "select cast(c.table_name as text), cast(c.column_name as text), cast(c.data_type as text), \
         c.is_nullable = 'YES', exists (select 1 from pg_index i join pg_attribute a on a.attrelid = i.indrelid \
         and a.attnum = any(i.indkey) where i.indisprimary and i.indrelid = cast(c.table_name as regclass) \
         and a.attname = c.column_name) from information_schema.columns c where c.table_schema = 'public'",
    )
    .fetch_all(pool)
    .await
    .expect("the columns");
    let indexes: Vec<(String, String, bool, String, String)> = sqlx::query_as(
        "select cast(t.relname as text), cast(n.relname as text), i.indisunique, \
         (select string_agg(cast(a.attname as text), ',' order by array_position(cast(i.indkey as int2[]), a.attnum)) \
          from pg_attribute a where a.attrelid = i.indrelid and a.attnum = any(i.indkey)), \
         coalesce(pg_get_expr(i.indpred, i.indrelid), '') \
         from pg_index i join pg_class t on t.oid = i.indrelid join pg_class n on n.oid = i.indexrelid \
         join pg_namespace s on s.oid = t.relnamespace where s.nspname = 'public' and not i.indisprimary",
    )
    .fetch_all(pool)
    .await
    .expect("the indexes");
    let references: Vec<(String, String, String)> = sqlx::query_as(
        "select cast(t.relname as text), cast(a.attname as text), cast(o.relname as text) from pg_constraint c \
         join pg_class t on t.oid = c.conrelid join pg_class o on o.oid = c.confrelid \
         join pg_attribute a on a.attrelid = t.oid and a.attnum = any(c.conkey) where c.contype = 'f'",
    )
    .fetch_all(pool)
    .await
    .expect("the references");
    let columns = columns
        .iter()
        .filter(|(table, ..)| is_ours(table))
        .map(|(table, name, kind, null, key)| column(table, name, kind_in_postgres(kind), *null, i64::from(*key)));
    let indexes = indexes.iter().map(|(table, name, unique, columns, only)| index(table, name, *unique, columns, only));
    let references = references.iter().map(|(table, name, other)| format!("{table}.{name} -> {other}"));
    columns.chain(indexes).chain(references).collect()
}

/// Not one that the database or the migrations keep for themselves.
fn is_ours(table: &str) -> bool {
    !table.starts_with("_sqlx") && !table.starts_with("sqlite_")
}

#[tokio::test]
async fn both_databases_have_the_same_tables_columns_keys_and_indexes() {
    let folder = tempfile::tempdir().expect("a folder");
    let sqlite_address = format!("sqlite:{}/t.db", folder.path().display());
    let file = Db::open(&sqlite_address).await.expect("SQLite");
    let server = Db::open(&postgres::database().await).await.expect("PostgreSQL");
    let (Db::Sqlite { read, .. }, Db::Postgres(pool)) = (&file, &server) else { panic!("one of each") };
    let (one, other) = (sqlite(read).await, postgres(pool).await);
    let only: Vec<&String> = one.difference(&other).collect();
    assert_eq!(only, [""; 0], "in SQLite alone");
    let only: Vec<&String> = other.difference(&one).collect();
    assert_eq!(only, [""; 0], "in PostgreSQL alone");
    assert!(one.len() > 150, "{one:#?}");
}

#[test]
fn both_folders_have_the_same_migrations() {
    let names = |folder: &str| -> BTreeSet<String> {
        let all = std::fs::read_dir(format!("{}/migrations/{folder}", env!("CARGO_MANIFEST_DIR"))).expect("the folder");
        all.map(|entry| entry.expect("a file").file_name().into_string().expect("a name")).collect()
    };
    assert_eq!(names("sqlite"), names("postgres"));
}

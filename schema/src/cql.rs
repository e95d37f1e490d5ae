//! The tables of the CQL store, as numbered migrations: `schema/cql`. A migration is never changed once it was released;
//! what changes is a further one.

/// One step of the keyspace's format.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// From 1, without gaps.
    pub number: i32,
    /// For people.
    pub name: &'static str,
    /// Statements, each ended by `;`, each of which may be repeated. `@log_compaction@` and `@view_compaction@` stand
    /// for options from the configuration.
    pub text: &'static str,
}

/// Every migration, in order.
pub const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "log", text: include_str!("../cql/0001_log.cql") },
    Migration { number: 2, name: "views", text: include_str!("../cql/0002_views.cql") },
    Migration { number: 3, name: "keys", text: include_str!("../cql/0003_keys.cql") },
    Migration { number: 4, name: "people", text: include_str!("../cql/0004_people.cql") },
    Migration { number: 5, name: "nodes", text: include_str!("../cql/0005_nodes.cql") },
    Migration { number: 6, name: "revisions", text: include_str!("../cql/0006_revisions.cql") },
];

/// Where applied migrations are written down, one partition.
pub const MIGRATION_TABLE: &str =
    "CREATE TABLE IF NOT EXISTS migration (one int, number int, name text, PRIMARY KEY ((one), number))";

impl Migration {
    /// Its statements, without comments, with options filled in.
    pub fn statements(&self, log_compaction: &str, view_compaction: &str) -> Vec<String> {
        let lines = self.text.lines().filter(|line| !line.trim_start().starts_with("--"));
        let text = lines.collect::<Vec<_>>().join("\n");
        let filled = text.replace("@log_compaction@", log_compaction).replace("@view_compaction@", view_compaction);
        filled.split(';').map(str::trim).filter(|statement| !statement.is_empty()).map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_numbered_without_gaps_and_each_statement_makes_one_table() {
        for (index, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(usize::try_from(migration.number), Ok(index + 1));
            let statements = migration.statements("{'class': 'A'}", "{'class': 'B'}");
            assert!(!statements.is_empty());
            for statement in statements {
                assert!(statement.starts_with("CREATE TABLE IF NOT EXISTS "), "{statement}");
                assert_eq!(statement.matches("CREATE").count(), 1, "{statement}");
                assert!(!statement.contains('@'), "{statement}");
                let forbidden = ["default_time_to_live", "ALLOW FILTERING", "CREATE INDEX"];
                assert!(forbidden.iter().all(|word| !statement.contains(word)), "{statement}");
            }
        }
    }
}

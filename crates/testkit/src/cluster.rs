//! A table that outgrew one server: in three partitions, each on a server of its own, read through the one before them.

use lango_database::Server;

use crate::{Host, Register, TestDatabase};

/// Four databases on four PostgreSQL servers: one that is asked, and three that hold the rows.
pub struct Cluster {
    /// The one that is asked; it reaches the others by `postgres_fdw`.
    pub head: TestDatabase,
    /// Those that hold the rows. The foreign servers of the head are called `shard_1` to `shard_3`.
    pub shards: [TestDatabase; 3],
}

impl Cluster {
    /// Databases without a table, the head's able to reach the others: its owner as theirs, its reader as their readers.
    pub fn fresh() -> Self {
        let head = TestDatabase::on(&Host::postgres());
        let shards = Host::shards().map(|host| (TestDatabase::on(&host), host));
        head.run("CREATE EXTENSION postgres_fdw");
        for (number, (shard, host)) in (1..).zip(&shards) {
            let (name, port) = (shard.name(), host.port());
            head.run(&format!(
                "CREATE SERVER shard_{number} FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '{port}', \
                 dbname '{name}', options '-c row_security=off', async_capable 'true', fetch_size '10000', batch_size '1000')"
            ));
            for (user, there) in [("CURRENT_USER", host.superuser()), (head.name(), name)] {
                let password = host.password();
                head.run(&format!(
                    "CREATE USER MAPPING FOR {user} SERVER shard_{number} OPTIONS (user '{there}', password '{password}')"
                ));
            }
        }
        Self { head, shards: shards.map(|(shard, _)| shard) }
    }

    /// Makes a table, partitioned by a hash of its unit column. Keys are declared on the shards alone: the head cannot
    /// vouch for what lies elsewhere.
    pub fn create(&self, table: &str, unit: &str, columns: &[(&str, &str)]) {
        self.shards.iter().for_each(|shard| shard.create(table, columns));
        let keyless = columns.iter().map(|(name, words)| {
            let words = words.split(' ').next().unwrap_or_default();
            format!("{name} {words}")
        });
        let keyless = keyless.collect::<Vec<_>>().join(", ");
        self.head.run(&format!("CREATE TABLE {table} ({keyless}) PARTITION BY HASH ({unit})"));
        for number in 1..=self.shards.len() {
            self.head.run(&format!(
                "CREATE FOREIGN TABLE {table}_{number} PARTITION OF {table} FOR VALUES WITH (MODULUS {}, REMAINDER {}) \
                 SERVER shard_{number} OPTIONS (table_name '{table}')",
                self.shards.len(),
                number - 1
            ));
        }
    }

    /// A register as its table `residents`, spread over the shards.
    pub fn of(register: &Register) -> Self {
        let cluster = Self::fresh();
        cluster.create("residents", "person_id", &register.columns());
        cluster.head.insert("residents", register.rows());
        cluster
    }

    /// How a gateway reaches the head.
    pub fn server(&self) -> Server {
        self.head.server()
    }

    /// How a gateway reaches the shards, by the names of the head's foreign servers.
    pub fn shard_servers(&self) -> Vec<(String, Server)> {
        (1..).zip(&self.shards).map(|(number, shard)| (format!("shard_{number}"), shard.server())).collect()
    }
}

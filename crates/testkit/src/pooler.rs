//! PgBouncer in front of the private PostgreSQL server.

use std::{
    fs::{self, Permissions},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use lango_database::{Server, Tls};
use tempfile::TempDir;

use crate::{Host, TestDatabase};

/// How often a port is tried, which another process may take first.
const ATTEMPTS: usize = 5;
const READY: Duration = Duration::from_secs(20);

/// When a server's connection is given to another client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolMode {
    /// When the client goes.
    Session,
    /// After each transaction.
    Transaction,
    /// After each statement: nothing can be read at one moment.
    Statement,
}

/// A PgBouncer of one test, for one database; dropping this value stops it.
pub struct Pooler {
    process: Child,
    port: u16,
    _folder: TempDir,
}

impl Pooler {
    /// Starts one in front of a database, with this number of connections to the server and these lines in its configuration.
    pub fn start(database: &TestDatabase, mode: PoolMode, connections: u32, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let (host, name) = (Host::postgres(), database.name());
        let mode = match mode {
            PoolMode::Session => "session",
            PoolMode::Transaction => "transaction",
            PoolMode::Statement => "statement",
        };
        let password = host.password();
        let users = [name, host.superuser()].map(|user| format!("\"{user}\" \"{password}\"\n")).concat();
        fs::write(path("users"), users).unwrap();
        // Another user may have to read it, for PgBouncer does not run as root; the password is of one run of the tests.
        for (path, mode) in [(folder.path().to_owned(), 0o755), (path("users").into(), 0o644)] {
            fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        }
        for _ in 0..ATTEMPTS {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let text = format!(
                "[databases]\n{name} = host=127.0.0.1 port={} dbname={name}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
                 listen_port = {port}\nunix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {}\npool_mode = {mode}\n\
                 default_pool_size = {connections}\n{more}\n",
                host.port(),
                path("users"),
            );
            fs::write(path("pgbouncer.ini"), text).unwrap();
            fs::set_permissions(path("pgbouncer.ini"), Permissions::from_mode(0o644)).unwrap();
            let mut process = run(&path("pgbouncer.ini"), &path("log"));
            let began = Instant::now();
            while process.try_wait().unwrap().is_none() && began.elapsed() < READY {
                if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return Self { process, port, _folder: folder };
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            drop(process.kill());
            process.wait().unwrap();
        }
        panic!("PgBouncer does not start: {}", fs::read_to_string(path("log")).unwrap_or_default());
    }

    /// How a user of the database reaches it through the pooler.
    pub fn to(&self, server: Server) -> Server {
        let (before, place) = server.address.split_once('@').expect("an address names a user");
        let (_, database) = place.split_once('/').expect("an address names a database");
        let address = format!("{before}@127.0.0.1:{}/{database}", self.port);
        Server { address, tls: Tls::Off, ..server }
    }
}

/// Not as root, which PgBouncer refuses; and no longer than this process.
fn run(configuration: &str, log: &str) -> Child {
    let is_root = fs::metadata("/proc/self").is_ok_and(|of| std::os::unix::fs::MetadataExt::uid(&of) == 0);
    let who: &[&str] = if is_root { &["--reuid=nobody", "--regid=nogroup", "--clear-groups"] } else { &[] };
    let log = fs::File::create(log).unwrap();
    let program = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"]
        .into_iter()
        .find(|path| fs::exists(path).unwrap_or(false));
    let program = program.expect("pgbouncer is missing: apt-get install pgbouncer");
    Command::new("setpriv")
        .args(who)
        .args(["--pdeathsig=KILL", program, configuration])
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .expect("setpriv, of Debian's util-linux")
}

impl Drop for Pooler {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

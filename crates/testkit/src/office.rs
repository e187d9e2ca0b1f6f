//! An office: a folder with register, policy, identity and ledger, and a gateway that runs on it.

use std::{
    collections::HashMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use lango_database::{Server, Tls};
use lango_document::Document;
use lango_gateway::{Administrators, Gateway, GatewayConfig, OpenError, PolicyChange, PolicyError, serve};
use lango_identity::{Region, Role, SpiffeId};
use lango_policy::PolicySet;
use lango_source::Source;
use lango_store::{Location, Store, StoreError};
use lango_transport::{Address, ServerLimits};
use tempfile::TempDir;

use crate::{
    Engine, Gate, Policy, RecordRow, Register, TestClock, TestDatabase, TestIdentity, TestLedger, TestRegion,
    generous, limits, running::Running,
};

/// An office and, while it runs, its gateway.
pub struct Office {
    /// Who it is.
    pub id: SpiffeId,
    /// Its register's gate.
    pub gate: Gate,
    /// Its certificates.
    pub identity: TestIdentity,
    /// Where its register is.
    pub database: TestDatabase,
    /// What its gateway gives to its peers, from its next start on.
    pub limits: ServerLimits,
    /// Who administers it over the wire, from its next start on.
    pub administrators: Administrators,
    /// Who may audit it.
    pub auditors: Vec<SpiffeId>,
    /// Whom its gateway believes, from its next start on.
    pub region: Region,
    clock: TestClock,
    folder: TempDir,
    running: Option<Running>,
    gateway: Option<Arc<Gateway>>,
    /// Where its ledger is, if not in its folder.
    kept: Option<Location>,
    /// Where its ledger is anchored, if it is.
    anchor: Option<PathBuf>,
    /// Where it listened last.
    address: Option<SocketAddr>,
}

impl Office {
    /// Makes the folder of the office `GHA`, say, and its register on the engine under test; starts nothing.
    pub fn prepare(world: &TestRegion, name: &str, policy: &Policy, register: &Register) -> Self {
        Self::prepare_on(Engine::under_test(), world, name, policy, register)
    }

    /// The same on a given engine.
    pub fn prepare_on(
        engine: Engine,
        world: &TestRegion,
        name: &str,
        policy: &Policy,
        register: &Register,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let identity = world.identity(Role::Office, name);
        let office = Self {
            id: identity.id.clone(),
            gate: Gate::default(),
            limits: generous(),
            administrators: Administrators::default(),
            auditors: Vec::new(),
            region: world.region.clone(),
            clock: world.clock.clone(),
            database: TestDatabase::fresh_or(engine, &folder.path().join("register.sqlite")),
            folder,
            identity,
            running: None,
            gateway: None,
            kept: None,
            anchor: None,
            address: None,
        };
        make_store(&Location::File(office.store()));
        register.write(&office.database);
        office.write_policy(&policy.text());
        office
    }

    /// Makes the folder and starts the gateway.
    pub async fn start(world: &TestRegion, policy: &Policy, register: &Register) -> Self {
        let mut office = Self::prepare(world, &policy.office, policy, register);
        office.up().await.unwrap();
        office
    }

    /// Starts the gateway, as any process would that finds the folder.
    pub async fn up(&mut self) -> Result<(), OpenError> {
        self.up_on(self.database.source()).await
    }

    /// The same with its register elsewhere.
    pub async fn up_on(&mut self, source: Box<dyn Source>) -> Result<(), OpenError> {
        let gateway = Gateway::open(GatewayConfig {
            region: self.region.clone(),
            tls: self.identity.tls(),
            signer: self.identity.signer(),
            policies: Ok(self.policies()),
            sources: HashMap::from([("register".to_owned(), self.gate.guard(source))]),
            store: self.kept.clone().unwrap_or_else(|| Location::File(self.store())),
            configuration: [0; 32],
            anchor: self.anchor.clone(),
            administrators: self.administrators.clone(),
            auditors: self.auditors.clone(),
            request_life_max: Duration::from_secs(8 * 86_400),
            limits: self.limits,
            clock: self.clock.clock(),
        })
        .await?;
        let gateway = Arc::new(gateway);
        self.gateway = Some(Arc::clone(&gateway));
        let running = Running::start(|listener, stopped| {
            serve(gateway, listener, async move {
                // A sender that is dropped stops the gateway too.
                drop(stopped.await);
            })
        })
        .await;
        self.address = Some(running.address);
        self.running = Some(running);
        Ok(())
    }

    /// What its gateway shows of itself, in Prometheus' text.
    pub fn metrics(&self) -> String {
        self.gateway.as_ref().expect("the office is running").metrics().text()
    }

    /// Stops the gateway and waits until it has.
    pub async fn down(&mut self) {
        self.gateway = None;
        self.running.take().expect("the office is running").stop().await;
    }

    /// Whether the gateway has stopped by itself. It may be started again then.
    pub fn has_stopped(&mut self) -> bool {
        if self.running.as_ref().is_some_and(Running::has_stopped) {
            (self.gateway, self.running) = (None, None);
        }
        self.running.is_none()
    }

    /// Stops the gateway, puts another policy in its folder, and starts it again.
    pub async fn restart(&mut self, policy: &Policy) {
        self.down().await;
        self.write_policy(&policy.text());
        self.up().await.unwrap();
    }

    /// Puts another policy in its folder, and in force while the gateway runs.
    pub async fn change(&self, policy: &str) -> Result<PolicyChange, PolicyError> {
        self.write_policy(policy);
        self.gateway.as_ref().expect("the office is running").change_policy(self.policies()).await
    }

    /// Keeps its ledger on a server from its next start on. Offices of one name that share a ledger are one office's replicas.
    pub fn keep_in(&mut self, server: &Server) {
        let location = Location::Postgres { server: server.clone(), connections: 4 };
        make_store(&location);
        self.kept = Some(location);
    }

    /// Keeps its ledger in this file from its next start on, as another gateway of the office does.
    pub fn share(&mut self, other: &Office) {
        self.kept = Some(Location::File(other.store()));
    }

    /// Anchors its ledger in this file from its next start on.
    pub fn anchor_at(&mut self, path: PathBuf) {
        self.anchor = Some(path);
    }

    /// The policy in the folder, and the lists beside it that it names.
    fn policies(&self) -> Vec<Document> {
        let document = |name: &str| Document::new(name, std::fs::read_to_string(self.path(name)).unwrap());
        let mut policies = vec![document("policy.toml")];
        let lists = PolicySet::lists(&policies);
        policies.extend(lists.iter().map(|name| document(name)));
        policies
    }

    /// Puts a policy in the folder.
    pub fn write_policy(&self, text: &str) {
        std::fs::write(self.path("policy.toml"), text).unwrap();
    }

    /// Where its gateway listens, or listened last.
    pub fn address(&self) -> Address {
        format!("https://{}", self.address.expect("the office was started")).parse().unwrap()
    }

    /// Writes what `lango gateway --config` needs into the folder, and returns the configuration's path. The gateway
    /// will listen on a free port, see [`Office::listens_at`].
    pub fn write_config(&self, world: &TestRegion) -> PathBuf {
        let config = self.path("gateway.toml");
        let (region, eku) = (world.region.trust_domain(), world.region.signing_eku());
        let (file, server) = match &self.kept {
            Some(Location::Postgres { server, .. }) => {
                let keys = self.server_keys("postgres", server, "ledger.password");
                (String::new(), format!("\n[store]\n{keys}connections = 4\n"))
            }
            _ => ("store = \"ledger.sqlite\"\n".to_owned(), String::new()),
        };
        let anchor = self.anchor.iter().map(|path| format!("anchor = \"{}\"\n", path.display()));
        let file = anchor.fold(file, |file, anchor| file + &anchor);
        let text = format!(
            r#"listen = "127.0.0.1:0"
identity = "identity"
policies = "policies"
{file}{server}
[region]
name = "{region}"
authority = "authority.pem"
signing_eku = "{eku}"
{}
[source.register]
{}
statement_timeout_s = 600
{}"#,
            administration(&self.administrators) + &audit(&self.auditors),
            self.source_keys(),
            limits::table(&self.limits)
        );
        std::fs::write(&config, text).unwrap();
        std::fs::write(self.path("authority.pem"), world.authority.to_pem().certificate_pem).unwrap();
        self.identity.save(&self.path("identity"));
        std::fs::create_dir_all(self.path("policies")).unwrap();
        for document in self.policies() {
            std::fs::write(self.path("policies").join(&*document.file), &*document.text).unwrap();
        }
        config
    }

    /// The keys of a source that is its register; a server's password is in a file of the folder.
    fn source_keys(&self) -> String {
        let key = match self.database.engine() {
            Engine::Sqlite => return "sqlite = \"register.sqlite\"".to_owned(),
            Engine::Postgres => "postgres",
            Engine::MariaDb => "mariadb",
        };
        let keys = self.server_keys(key, &self.database.server(), "register.password");
        format!("{keys}prepared_schema = \"{}\"", self.database.prepared_schema())
    }

    /// The keys that name a private server; its password goes to a file of this name in the folder.
    fn server_keys(&self, key: &str, server: &Server, password_file: &str) -> String {
        let Server { address, password, tls } = server;
        let Tls::Authority(authority) = tls else { panic!("a test's server has an authority of its own") };
        let password = password.as_ref().unwrap().read().unwrap();
        lango_files::replace(&self.path(password_file), password.as_bytes()).unwrap();
        format!(
            "{key} = \"{address}\"\npassword_file = \"{password_file}\"\ntls_authority = \"{}\"\n",
            authority.display()
        )
    }

    /// Says where a gateway listens that this test's process does not run.
    pub fn listens_at(&mut self, address: SocketAddr) {
        self.address = Some(address);
    }

    /// The file of its register, where the engine is SQLite.
    pub fn register(&self) -> PathBuf {
        self.database.file().to_owned()
    }

    /// The file of its ledger.
    pub fn store(&self) -> PathBuf {
        self.path("ledger.sqlite")
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// All that it has charged, reserved and released.
    pub fn ledger(&self) -> TestLedger {
        TestLedger::read(&self.store())
    }

    /// All its access records.
    pub fn records(&self) -> Vec<RecordRow> {
        RecordRow::read(&self.store())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// The table of an office's auditors, where there are some.
fn audit(auditors: &[SpiffeId]) -> String {
    let listed: Vec<&str> = auditors.iter().map(SpiffeId::name).collect();
    if listed.is_empty() { String::new() } else { format!("\n[audit]\nauditors = {listed:?}\n") }
}

/// The table of an office's administrators, where there are some.
fn administration(Administrators { listed, activation }: &Administrators) -> String {
    if listed.is_empty() {
        return String::new();
    }
    let listed: Vec<&str> = listed.iter().map(SpiffeId::name).collect();
    let activation = activation.word();
    format!("\n[administration]\nadministrators = {listed:?}\nactivation = \"{activation}\"\n")
}

/// Makes a store, where none of the office's other gateways has made it. On a thread of its own: tests call it from wherever they
/// are.
fn make_store(location: &Location) {
    let location = location.clone();
    let making = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(Store::create(&location))
    });
    match making.join().unwrap() {
        Ok(()) | Err(StoreError::Exists { .. }) => {}
        Err(error) => panic!("{error}"),
    }
}

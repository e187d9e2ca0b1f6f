//! The gateway as a process of its own, whose memory is that of a gateway alone.

use std::{
    collections::HashMap,
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use lango_database::{Password, Server, Tls};
use lango_document::Document;
use lango_gateway::{Gateway, GatewayConfig, serve as serve_gateway, system_clock};
use lango_identity::{Region, Signer, TlsIdentity};
use lango_source::{MariaDb, Postgres, Settings, Source, Sqlite};
use lango_store::Location;
use lango_testkit::{EKU, Engine, Office, TestRegion};
use tokio::net::TcpListener;

use crate::Failure;

/// Ranking ten million rows may take minutes.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(1_800);

/// A running gateway; killed when dropped.
pub(crate) struct Child {
    pub(crate) address: SocketAddr,
    process: std::process::Child,
}

impl Child {
    /// Starts the gateway of an office whose folder and register are there.
    pub(crate) fn start(world: &TestRegion, office: &Office) -> Result<Self, Failure> {
        let folder = office.folder();
        fs::write(folder.join("region"), world.region.trust_domain())?;
        fs::write(folder.join("authority.pem"), world.authority.to_pem().certificate_pem)?;
        office.identity.save(&folder.join("identity"));
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("gateway").arg(folder);
        match office.database.engine() {
            Engine::Sqlite => command.arg(office.database.file()),
            _ => {
                command.env("LANGO_BENCH_SCHEMA", office.database.prepared_schema());
                command.arg(office.database.server().address)
            }
        };
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut said = String::new();
        if let Some(out) = process.stdout.take() {
            BufReader::new(out).read_line(&mut said)?;
        }
        let child = |address| Self { address, process };
        Ok(child(said.trim().parse().map_err(|_| "the gateway does not start")?))
    }

    /// The most memory that it has had resident, in MB.
    pub(crate) fn peak_mb(&self) -> Result<f64, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("VmHWM")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? * 1024.0 / 1e6)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may be gone already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Serves until it is killed; prints its address in a line.
pub(crate) async fn serve(folder: &Path, address: &str) -> Result<(), Failure> {
    let read = |name: &str| fs::read_to_string(folder.join(name));
    let gateway = Gateway::open(GatewayConfig {
        region: Region::from_pem(&read("region")?, read("authority.pem")?.as_bytes(), EKU.parse()?)?,
        tls: TlsIdentity::load(&folder.join("identity"))?,
        signer: Signer::load(&folder.join("identity"))?,
        policies: Ok(vec![Document::new("policy.toml", read("policy.toml")?)]),
        sources: HashMap::from([("register".to_owned(), source(address)?)]),
        store: Location::File(folder.join("ledger.sqlite")),
        configuration: [0; 32],
        anchor: None,
        administrators: lango_gateway::Administrators::default(),
        auditors: Vec::new(),
        request_life_max: Duration::from_secs(8 * 86_400),
        limits: lango_testkit::generous(),
        clock: system_clock(),
    });
    let gateway = gateway.await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    Ok(serve_gateway(gateway, listener, std::future::pending()).await?)
}

fn source(address: &str) -> Result<Arc<dyn Source>, Failure> {
    let password = match address.split_once("://") {
        None => return Ok(Arc::new(Sqlite::new(address, STATEMENT_TIMEOUT))),
        Some(("mysql", _)) => "LANGO_TEST_MARIADB_PASSWORD",
        Some(_) => "LANGO_TEST_POSTGRES_PASSWORD",
    };
    let server = Server {
        address: address.to_owned(),
        password: Some(Password::Environment(password.to_owned())),
        tls: Tls::Authority(std::env::var("LANGO_TEST_AUTHORITY")?.into()),
    };
    let settings = Settings {
        statement_timeout: STATEMENT_TIMEOUT,
        prepared_schema: std::env::var("LANGO_BENCH_SCHEMA").ok(),
        ..Settings::default()
    };
    Ok(match address.starts_with("mysql") {
        true => Arc::new(MariaDb::new(&server, settings)?),
        false => Arc::new(Postgres::new(&server, settings)?),
    })
}

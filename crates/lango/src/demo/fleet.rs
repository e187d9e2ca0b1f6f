//! One process per office and one coordinator, started, watched and stopped.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use lango_analyst::Credentials;
use lango_identity::{Expected, Role, TlsIdentity, client_config};
use lango_registers::OFFICES;
use lango_transport as transport;

use super::folder::Folder;
use crate::{config, failure::Failure, output::bar};

const START_TIME_MAX: Duration = Duration::from_secs(60);
const STOP_TIME_MAX: Duration = Duration::from_secs(10);

/// The running servers. Dropping it closes their standard inputs, at which they stop; so does the end of this process.
pub struct Fleet {
    servers: Vec<Server>,
    pub coordinator: String,
}

struct Server {
    name: String,
    process: Child,
    log: PathBuf,
    port: u16,
}

impl Fleet {
    /// Starts every server and waits until each answers.
    pub fn start(folder: &Folder) -> Result<Self, Failure> {
        let program = std::env::current_exe()?;
        let mut servers = Vec::new();
        let names =
            OFFICES.iter().copied().map(|office| (office, "gateway")).chain([("coordinator", "coordinator")]);
        for ((name, command), (file, port)) in names.zip(folder.listeners()?) {
            servers.push(Server::start(&program, name, command, &file, port)?);
        }
        let port = servers.last().map(|server| server.port).unwrap_or_default();
        let mut fleet = Self { servers, coordinator: format!("https://127.0.0.1:{port}") };
        fleet.wait(&config::credentials(&folder.analyst())?)?;
        Ok(fleet)
    }

    fn wait(&mut self, identity: &Credentials) -> Result<(), Failure> {
        let bar = bar("starting servers   {bar:30} {pos}/{len}  {msg}", self.servers.len() as u64);
        let deadline = Instant::now() + START_TIME_MAX;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        for server in &mut self.servers {
            bar.set_message(server.name.clone());
            while !runtime.block_on(answers(server.port, &identity.tls, identity)) {
                server.check()?;
                if Instant::now() > deadline {
                    return Err(Failure::of(
                        &server.name,
                        "does not answer; its log is ".to_owned() + &server.log.display().to_string(),
                    ));
                }
                thread::sleep(Duration::from_millis(20));
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// Every gateway's resident memory in bytes, as the kernel reports it.
    pub fn resident(&self) -> Vec<(String, u64)> {
        let gateways = self.servers.iter().filter(|server| server.name != "coordinator");
        gateways.filter_map(|server| Some((server.name.clone(), resident(server.process.id())?))).collect()
    }

    /// Stops every server and waits for its end.
    pub fn stop(mut self) -> Result<(), Failure> {
        self.halt();
        Ok(())
    }

    fn halt(&mut self) {
        for server in &mut self.servers {
            drop(server.process.stdin.take());
        }
        let deadline = Instant::now() + STOP_TIME_MAX;
        for server in &mut self.servers {
            while matches!(server.process.try_wait(), Ok(None)) && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(5));
            }
            // A server that has not stopped by itself is stopped.
            drop(server.process.kill());
            drop(server.process.wait());
        }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.halt();
    }
}

impl Server {
    fn start(program: &Path, name: &str, command: &str, file: &Path, port: u16) -> Result<Self, Failure> {
        let log = file.with_extension("log");
        let process = Command::new(program)
            .args([command, "--with-stdin", "--config"])
            .arg(file)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(lango_files::options().write(true).create(true).truncate(true).open(&log)?)
            .spawn()?;
        Ok(Self { name: name.to_owned(), process, log, port })
    }

    /// A server that has ended says why in its log.
    fn check(&mut self) -> Result<(), Failure> {
        let Some(status) = self.process.try_wait()? else { return Ok(()) };
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let last = log.lines().last().unwrap_or("its log is empty");
        Err(Failure::Failed(format!("{} ended with {status}: {last}", self.name)))
    }
}

async fn answers(port: u16, tls: &TlsIdentity, identity: &Credentials) -> bool {
    let role = |role| client_config(tls, &identity.region, Expected::Role(role));
    let Ok(address) = format!("https://127.0.0.1:{port}").parse() else { return false };
    for config in [role(Role::Office), role(Role::Coordinator)].into_iter().flatten() {
        if transport::connect(&address, config, Duration::from_secs(5)).await.is_ok() {
            return true;
        }
    }
    false
}

fn resident(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
}

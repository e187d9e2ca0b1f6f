//! `lango init office`: the folder of an office's gateway.

use std::net::{Ipv6Addr, SocketAddr};

use clap::Args;
use lango_document::Document;
use lango_identity::Role;
use lango_transport::Address;

use super::{
    asked::{Need, need},
    folder::{InitOptions, NewFolder, quoted, region_table, step, within},
    unit::drop_in,
};
use crate::{config::GatewayFile, failure::Failure};

/// A policy that grants nothing, with an example in comments.
const POLICY: &str = include_str!("policy.toml");

#[derive(Debug, Args)]
pub struct InitOffice {
    #[command(flatten)]
    options: InitOptions,
    /// The name or address under which the coordinator reaches the gateway, such as gateway.statsghana.example.
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// Where the gateway listens.
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:7443")]
    listen: SocketAddr,
    /// The file of the register, an SQLite database; `register.sqlite` in the folder by default, for `lango dataset import`.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["postgres", "mariadb"])]
    sqlite: Option<String>,
    /// The address of the register on PostgreSQL: postgresql://USER@HOST/DATABASE.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "mariadb")]
    postgres: Option<String>,
    /// The address of the register on MariaDB: mariadb://USER@HOST/DATABASE.
    #[arg(long, value_name = "ADDRESS")]
    mariadb: Option<String>,
}

impl InitOffice {
    pub fn run(&self) -> Result<(), Failure> {
        let new = self.options.begin(Role::Office)?;
        let host = Need {
            question: "The name or address under which the coordinator reaches the gateway",
            option: "--host",
            default: None,
        };
        let host = need(self.host.as_deref(), host, host_of)?;
        let source = self.source()?;
        let office = new.principal.name().to_owned();
        let configuration = configuration(&new, self.listen, &source);
        // What was given is held to what a gateway would say of it, before anything is made.
        let file = within(&new.dir, "gateway.toml");
        Document::new(file.as_str(), configuration.as_str()).read::<GatewayFile>()?;
        let drop_in = drop_in("gateway", &new.dir)?;
        let policy =
            POLICY.replace("{office}", &office).replace("{region}", new.region.region.trust_domain());
        let files = [
            ("gateway.toml".to_owned(), configuration),
            (format!("policies/{}.toml", office.to_ascii_lowercase()), policy),
            (drop_in.name, drop_in.text),
        ];
        let url = url(&host, self.listen.port());
        let policies = within(&new.dir, "policies");
        let next = [
            step("Make the ledger, once:", &[&format!("lango ledger create --config {file}")]),
            step(
                "Begin a policy with what there is, files that the office exports or a table of the register:",
                &[
                    &format!("lango dataset describe --config {file} EXPORT.csv --policy"),
                    &format!(
                        "lango dataset describe --config {file} --source register --table TABLE --policy"
                    ),
                ],
            ),
            step(
                &format!("Say in {policies} what may be asked, and check it:"),
                &[&format!("lango policy check --config {file}")],
            ),
            step("See whether all is in place:", &[&format!("lango doctor --config {file}")]),
            step(
                &format!("Run it, and have the coordinator list {url}:"),
                &[&format!("lango gateway --config {file}")],
            ),
            drop_in.step,
        ];
        new.make(&[host], &files, &next)
    }

    /// The keys of the source.
    fn source(&self) -> Result<String, Failure> {
        let question =
            "The register: an SQLite file, or the address of a server (postgresql:// or mariadb://)";
        let need_of = |option| Need { question, option, default: Some("register.sqlite") };
        for (option, given) in [("--postgres", &self.postgres), ("--mariadb", &self.mariadb)] {
            if given.is_some() {
                return need(given.as_deref(), need_of(option), |address| {
                    let key = server_key(address)?.filter(|key| option.ends_with(key));
                    let key = key.ok_or_else(|| {
                        format!(
                            "an address for {option} is such as {}://USER@HOST/DATABASE",
                            option.trim_start_matches('-')
                        )
                    })?;
                    Ok(server(key, address))
                });
            }
        }
        need(self.sqlite.as_deref(), need_of("--sqlite"), |register| match server_key(register)? {
            Some(key) => Ok(server(key, register)),
            None if register.is_empty() => Err("a file's name, or a server's address".to_owned()),
            None => Ok(format!("sqlite = {}\n", quoted(register))),
        })
    }
}

/// The key of a server's address in a configuration; none of what is no address.
fn server_key(text: &str) -> Result<Option<&'static str>, String> {
    if holds_password(text) {
        return Err("the address holds a password: leave it out, and write it, alone, into the file `register.password` in the \
                    folder when that is made (chmod 600); change it where the address stood in a script or a shell's history"
            .to_owned());
    }
    match text.split_once("://") {
        Some(("postgres" | "postgresql", _)) => Ok(Some("postgres")),
        Some(("mariadb" | "mysql", _)) => Ok(Some("mariadb")),
        Some(_) => Err("a server's address begins with postgresql:// or mariadb://".to_owned()),
        None => Ok(None),
    }
}

/// Whether a server's address has a password in it: `USER:PASSWORD@`, or as an option.
fn holds_password(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else { return false };
    let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = place.rsplit_once('@').map(|(user, _)| user);
    let is_password = |option: &str| option.split('=').next() == Some("password");
    authority.is_some_and(|user| user.contains(':')) || options.split('&').any(is_password)
}

/// A host as certificates name it.
pub fn host_of(text: &str) -> Result<String, String> {
    let is_host = url(text, 443).parse::<Address>().is_ok() && !text.contains(['/', '[', ']', '@']);
    if is_host { Ok(text.to_owned()) } else { Err("a host's name or address, without a port".to_owned()) }
}

/// Where a server of a host is reached.
fn url(host: &str, port: u16) -> String {
    match host.parse::<Ipv6Addr>() {
        Ok(address) => format!("https://[{address}]:{port}"),
        Err(_) => format!("https://{host}:{port}"),
    }
}

fn server(key: &str, address: &str) -> String {
    format!(
        "{key} = {}\n# The password, alone in a file that is its owner's alone (chmod 600).\npassword_file = \"register.password\"\n\
         # The authority of the server's certificate, where the system does not have it.\n# tls_authority = \"server.pem\"\n",
        quoted(address)
    )
}

fn configuration(new: &NewFolder, listen: SocketAddr, source: &str) -> String {
    let office = new.principal.name();
    format!(
        "# The gateway of the office {office}. Every key is explained in docs/INSTALLING.md.\n\
         # Paths are relative to this file; an unknown key is an error.\n\n\
         listen   = \"{listen}\"\nidentity = \"identity\"\npolicies = \"policies\"\n\
         # The office's memory of what has been charged: never delete it, and never put an older copy in its place.\n\
         store    = \"ledger.sqlite\"\n\
         # Which store is this gateway's and how far it had come, on another disk, so that no older copy goes unnoticed.\n\
         # anchor = \"/mnt/other-disk/lango.anchor\"\n\n{}\n\
         # Who administers it from their own machine, and whether a change of the policy takes two of them.\n\
         # [administration]\n# administrators = [\"ama\", \"kofi\"]\n# activation     = \"two\"\n\n\
         # A policy names a connection by this table's name.\n[source.register]\n{source}\
         # A statement that takes longer is stopped, and what was reserved for it stays spent.\nstatement_timeout_s = 60\n",
        region_table(&new.region)
    )
}

#[cfg(test)]
mod tests {
    use lango_policy::PolicySet;

    use super::*;

    fn policy(text: &str) -> PolicySet {
        let text = text.replace("{office}", "GHA").replace("{region}", "ecowas.example");
        PolicySet::read(&[Document::new("gha.toml", text)]).unwrap()
    }

    #[test]
    fn a_host_is_named_without_a_port() {
        for host in ["gateway.statsghana.example", "localhost", "127.0.0.1", "::1"] {
            assert_eq!(host_of(host).as_deref(), Ok(host));
        }
        for other in ["", "a:7443", "https://a", "a/b", "[::1]", "a b"] {
            assert!(host_of(other).is_err(), "{other}");
        }
        assert_eq!(url("::1", 7443), "https://[::1]:7443");
    }

    #[test]
    fn an_address_with_a_password_is_refused_and_is_not_repeated() {
        for address in [
            "postgresql://lango:Winter/2026@db/register",
            "mysql://lango:@db/register",
            "postgresql://lango@db/register?password=Winter",
            "postgresql://lango@db/register?sslmode=require&password=Winter",
        ] {
            let error = server_key(address).unwrap_err();
            assert!(error.contains("register.password") && !error.contains("Winter"), "{address}: {error}");
        }
        for (text, key) in [
            ("postgresql://lango@db:5432/register", Some("postgres")),
            ("mysql://lango@db/register?socket=/run/mysqld.sock", Some("mariadb")),
            ("a:b@c.sqlite", None),
        ] {
            assert_eq!(server_key(text), Ok(key));
        }
    }

    #[test]
    fn the_policy_grants_nothing_and_its_example_passes_its_tests() {
        assert!(policy(POLICY).grants.is_empty());
        let is_key = |line: &str| {
            let first = line.split(' ').next().unwrap_or_default();
            first.starts_with('[')
                || line.split(' ').any(|word| word == "=")
                    && first.bytes().all(|b| b == b'_' || b.is_ascii_lowercase())
        };
        let open =
            |line: &str| line.strip_prefix("# ").filter(|rest| is_key(rest)).unwrap_or(line).to_owned();
        let example = policy(&POLICY.lines().map(open).collect::<Vec<_>>().join("\n"));
        assert_eq!((example.grants.len(), example.trials.len()), (1, 2));
        assert_eq!(example.run_trials(), []);
    }
}

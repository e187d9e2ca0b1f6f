//! `lango init coordinator`: the folder of a region's coordinator.

use std::net::SocketAddr;

use clap::Args;
use lango_document::Document;
use lango_identity::{Role, SpiffeId};
use lango_transport::Address;

use super::{
    asked::{Need, is_terminal, need},
    folder::{InitOptions, NewFolder, quoted, region_table, step, within},
    office::host_of,
    unit::drop_in,
};
use crate::{config::CoordinatorFile, failure::Failure};

#[derive(Debug, Args)]
pub struct InitCoordinator {
    #[command(flatten)]
    options: InitOptions,
    /// The name or address under which analysts reach it; that of the region's file by default.
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// Where it listens.
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:7444")]
    listen: SocketAddr,
    /// A member and the address of its gateway: GHA=https://gateway.statsghana.example:7443. May be repeated.
    #[arg(long, value_name = "OFFICE=URL")]
    member: Vec<String>,
}

/// A member as it is configured.
#[derive(Debug, PartialEq, Eq)]
struct NewMember {
    office: String,
    address: String,
}

impl InitCoordinator {
    pub fn run(&self) -> Result<(), Failure> {
        let new = self.options.begin(Role::Coordinator)?;
        let known = new.region.coordinator.as_deref().and_then(host_in);
        let host = Need {
            question: "The name or address under which analysts reach it",
            option: "--host",
            default: known.as_deref(),
        };
        let host = need(self.host.as_deref(), host, host_of)?;
        let members = self.members(new.region.region.trust_domain())?;
        let configuration = configuration(&new, self.listen, &members);
        let file = within(&new.dir, "coordinator.toml");
        Document::new(file.as_str(), configuration.as_str()).read::<CoordinatorFile>()?;
        let drop_in = drop_in("coordinator", &new.dir)?;
        let files = [("coordinator.toml".to_owned(), configuration), (drop_in.name, drop_in.text)];
        let next = [
            step("Make its log, once:", &[&format!("lango audit create --config {file}")]),
            step(
                "See whether all is in place, and which members answer:",
                &[&format!("lango doctor --config {file}")],
            ),
            step("Run it:", &[&format!("lango coordinator --config {file}")]),
            drop_in.step,
        ];
        new.make(&[host], &files, &next)
    }

    fn members(&self, region: &str) -> Result<Vec<NewMember>, Failure> {
        let mut members = Vec::new();
        for given in &self.member {
            let need = Need { question: "", option: "--member", default: None };
            members.push(super::asked::need(Some(given), need, |text| member(text, region, &members))?);
        }
        while is_terminal() && self.member.is_empty() {
            let question = match members.is_empty() {
                true => "A member, as OFFICE=URL, such as GHA=https://gateway.statsghana.example:7443",
                false => "Another member, or nothing",
            };
            let default = (!members.is_empty()).then_some("");
            let need = Need { question, option: "--member", default };
            let answered = super::asked::need(None, need, |text| match text {
                "" if !members.is_empty() => Ok(None),
                text => member(text, region, &members).map(Some),
            })?;
            match answered {
                Some(member) => members.push(member),
                None => break,
            }
        }
        match members.is_empty() {
            true => Err(Failure::Usage("--member is missing: name the members as OFFICE=URL".to_owned())),
            false => Ok(members),
        }
    }
}

fn host_in(address: &str) -> Option<String> {
    let host = address.strip_prefix("https://")?.rsplit_once(':')?.0;
    Some(host.trim_matches(['[', ']']).to_owned())
}

fn member(text: &str, region: &str, others: &[NewMember]) -> Result<NewMember, String> {
    let (office, address) =
        text.split_once('=').ok_or("a member is named as OFFICE=URL, such as GHA=https://HOST:7443")?;
    SpiffeId::new(region, Role::Office, office).map_err(|error| error.to_string())?;
    address.parse::<Address>().map_err(|error| error.to_string())?;
    if others.iter().any(|other| other.office == office) {
        return Err(format!("{office} is named twice"));
    }
    Ok(NewMember { office: office.to_owned(), address: address.to_owned() })
}

fn configuration(new: &NewFolder, listen: SocketAddr, members: &[NewMember]) -> String {
    let mut text = format!(
        "# The coordinator of {}. Every key is explained in docs/INSTALLING.md.\n\
         # Paths are relative to this file; an unknown key is an error.\n\n\
         listen   = \"{listen}\"\nidentity = \"identity\"\n\
         # A member whose answer takes longer is reported missing; the others' answers are not held back.\n\
         member_deadline_s = 60\nconnect_timeout_s = 5\n\
         # Its log: what it passed on, and what the members answered, by digests. The members cosign it.\n\
         store = \"log.sqlite\"\n\n{}\n\
         # It cosigns the members' logs, each as long as it goes on where it ended before, and keeps here where that was.\n\
         [witness]\nfolder = \"witnessed\"\n\n\
         # Requests for new certificates wait in `requests` for the authority, and what it issued in `issued`: docs/IDENTITIES.md.\n\
         [mailbox]\nfolder = \"mailbox\"\n\n\
         # Who may read its log over the wire: `lango audit fetch --coordinator`.\n\
         # [audit]\n# auditors = [\"ina\"]\n\n\
         # The federation. A member is believed only if its certificate names the office that stands here.\n",
        new.region.region.trust_domain(),
        region_table(&new.region)
    );
    for NewMember { office, address } in members {
        text += &format!("[[member]]\noffice  = \"{office}\"\naddress = {}\n\n", quoted(address));
    }
    text.trim_end().to_owned() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_offices_with_addresses_each_once() {
        let region = "ecowas.example";
        let gha = member("GHA=https://127.0.0.1:7443", region, &[]).unwrap();
        assert_eq!((gha.office.as_str(), gha.address.as_str()), ("GHA", "https://127.0.0.1:7443"));
        for (text, others) in [
            ("GHA", &[][..]),
            ("GHA=http://127.0.0.1:7443", &[]),
            ("GHA/x=https://127.0.0.1:7443", &[]),
            ("GHA=https://127.0.0.1:7444", std::slice::from_ref(&gha)),
        ] {
            assert!(member(text, region, others).is_err(), "{text}");
        }
        assert_eq!(host_in("https://coordinator.ecowas.example:7444").unwrap(), "coordinator.ecowas.example");
        assert_eq!(host_in("https://[::1]:7444").unwrap(), "::1");
    }
}

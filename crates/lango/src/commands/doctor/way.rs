//! The way to the coordinator and back, and where a server listens: connections as questions take them.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use lango_analyst::{AskEvent, Client, Credentials, Enquiry};
use lango_identity::{
    Expected, Region, Role, SpiffeId, TlsError, TlsIdentity, client_config, explain_handshake,
};
use lango_privacy::Level;
use lango_transport::{Address, connect};
use lango_wire::client::CoordinatorClient;
use tokio::{net::TcpListener, time::timeout};

use super::{report::DoctorReport, revocations};
use crate::analyst::ask::refused;

const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);
/// How long the answers of all members are waited for.
const ANSWERS_TIME_MAX: Duration = Duration::from_secs(60);
/// A question of a dataset that no office has: each that it reaches refuses it, and signs that.
const QUESTION: &str = "lango-query 1\ndataset lango_doctor\nmeasure rows\nby\nprice epsilon 1\n";

/// What is examined of the coordinator, and what to do where it does not answer.
const WAY: &str = "way to the coordinator";
const GO_THERE: &str = "see that it runs, and that this machine may go there: name, port, firewall";

/// Who goes the way, and whom they believe.
pub struct Traveller {
    pub tls: TlsIdentity,
    pub region: Region,
    pub now: i64,
}

impl Traveller {
    /// Connects; why it cannot be done, in words.
    async fn connects(
        &self,
        address: &Address,
        expected: Expected,
    ) -> Result<tonic::transport::Channel, String> {
        let config =
            client_config(&self.tls, &self.region, expected).map_err(|error: TlsError| error.to_string())?;
        connect(address, config, CONNECT_TIME_MAX)
            .await
            .map_err(|error| explain_handshake(&error, &self.tls, &self.region, self.now))
    }

    /// Whether a coordinator answers, and whether it lists an office.
    pub async fn to_coordinator(&self, address: &str, office: Option<&SpiffeId>, report: &mut DoctorReport) {
        let subject = WAY;
        let Some(parsed) = coordinator(address, report) else { return };
        let members = match self.connects(&parsed, Expected::Role(Role::Coordinator)).await {
            Ok(channel) => {
                let client = CoordinatorClient::new(channel);
                let members = self.members(&client).await;
                if members.is_ok() {
                    revocations::passed_on(&client, &self.region, self.now, report).await;
                }
                members
            }
            Err(why) => Err(why),
        };
        match (members, office) {
            (Err(why), _) => report.warning(subject, format!("{address}: {why}"), GO_THERE),
            (Ok(members), Some(office)) if !members.contains(&office.to_string()) => report.warning(
                subject,
                format!("{address} answers, and does not list {office}"),
                "have the coordinator add the office and its address, `[[member]]`",
            ),
            (Ok(members), _) => {
                let listed = if office.is_some() { ", this office among them" } else { "" };
                report.ok(subject, format!("{address} answers: {} members{listed}", members.len()));
            }
        }
    }

    async fn members(&self, coordinator: &CoordinatorClient) -> Result<Vec<String>, String> {
        let (mut members, mut token) = (Vec::new(), String::new());
        for _ in 0..lango_wire::limits::AUDIENCE_MOST {
            let page = coordinator.list_members(token.clone()).await;
            let page = page.map_err(|status| status.message().to_owned())?;
            members.extend(page.members.into_iter().map(|member| member.uri));
            if page.next_page_token.is_empty() || page.next_page_token == token {
                break;
            }
            token = page.next_page_token;
        }
        Ok(members)
    }

    /// Whether a member's gateway answers, as a coordinator reaches it.
    pub async fn to_member(&self, office: &SpiffeId, address: &Address, report: &mut DoctorReport) {
        let subject = format!("member {}", office.name());
        match self.connects(address, Expected::Id(office.clone())).await {
            Ok(_) => report.ok(subject, format!("{address} answers, and is {office}")),
            Err(why) => report.warning(
                subject,
                format!("{address}: {why}"),
                "until it answers it is missing in every answer: see that its gateway runs, its address, and the firewalls",
            ),
        }
    }

    /// Whether a server can listen where its configuration says, or does so already.
    pub async fn listens(&self, own: &SpiffeId, listen: SocketAddr, report: &mut DoctorReport) {
        let subject = "listen";
        if listen.port() == 0 {
            return report.ok(subject, "on any port that is free");
        }
        let Err(error) = TcpListener::bind(listen).await else {
            return report.ok(subject, format!("{listen} is free: the server does not run yet"));
        };
        let near = match listen.ip() {
            ip if !ip.is_unspecified() => ip,
            IpAddr::V4(_) => IpAddr::from([127, 0, 0, 1]),
            IpAddr::V6(_) => IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]),
        };
        let address = format!("https://{}", SocketAddr::new(near, listen.port())).parse();
        let answers = match address {
            Ok(address) => self.connects(&address, Expected::Id(own.clone())).await,
            Err(_) => Err(error.to_string()),
        };
        match answers {
            Ok(_) => report.ok(subject, format!("the server runs: {listen} answers as {own}")),
            Err(why) => report.failed(
                subject,
                format!("{listen} cannot be had ({error}), and what is there is not this server: {why}"),
                "choose another `listen`, or stop what listens there",
            ),
        }
    }
}

/// Where a coordinator is said to be; a place that is none is reported.
fn coordinator(address: &str, report: &mut DoctorReport) -> Option<Address> {
    match address.parse() {
        Ok(address) => Some(address),
        Err(error) => {
            report.failed(WAY, error, "correct `coordinator` in `identity.toml`");
            None
        }
    }
}

/// The way of a question there and back: through the coordinator to every member, whose signed word comes back.
pub async fn there_and_back(credentials: Credentials, address: Option<&str>, report: &mut DoctorReport) {
    let (subject, advice) = (WAY, GO_THERE);
    let Some(address) = address else {
        return report.warning(
            subject,
            "where the coordinator is, `identity.toml` does not say",
            "write `coordinator = \"https://HOST:PORT\"` above `[region]`, or name --coordinator with each question",
        );
    };
    let Some(parsed) = coordinator(address, report) else { return };
    let client = match Client::connect(credentials, &parsed, ANSWERS_TIME_MAX).await {
        Ok(client) => client,
        Err(error) => return report.failed(subject, error, advice),
    };
    report.ok(subject, format!("{address} answers"));
    let Ok(query) = QUESTION.parse() else { return };
    let (purpose, level) = ("official-statistics".to_owned(), Level::USUAL);
    let enquiry = Enquiry { query, by_office: false, purpose, at_least: 0, level, members: Vec::new() };
    let mut pricing = match client.price(&enquiry).await {
        Ok(pricing) => pricing,
        Err(error) => return report.failed("way back", error, advice),
    };
    let coming = async {
        loop {
            match pricing.next().await {
                Ok(Some(event)) => said(event, report),
                Ok(None) => return,
                Err(error) => return report.failed("way back", error, advice),
            }
        }
    };
    // The client ends it sooner.
    let _ = timeout(ANSWERS_TIME_MAX.saturating_mul(2), coming).await;
}

/// What a member's answer shows of the way.
fn said(event: AskEvent, report: &mut DoctorReport) {
    match event {
        AskEvent::MemberAnswered { office } => {
            report.ok(format!("office {office}"), "it answers, and signs it")
        }
        AskEvent::MemberRefused { office, refusal } if refusal.code == "time" => report.failed(
            format!("office {office}"),
            refused(&refusal),
            "set this machine's clock, and keep it by NTP; if it is right, have the office see to its own",
        ),
        AskEvent::MemberRefused { office, .. } => {
            report.ok(format!("office {office}"), "it answers, and signs it: what does not exist is refused");
        }
        AskEvent::MemberMissing { office, absence } => report.warning(
            format!("office {office}"),
            format!("it does not answer: {}", absence.reason()),
            "questions are answered without it; the office or the coordinator can say why",
        ),
        AskEvent::Discarded { office, why } => report.failed(
            format!("office {office}"),
            why,
            "its answers do not count: have the office and the coordinator run `lango doctor`",
        ),
        AskEvent::CoordinatorBrokeOff { why } => {
            report.failed("way back", why, "ask again; if it goes on, have the coordinator read its log");
        }
    }
}

#[cfg(test)]
mod tests {
    use lango_privacy::Query;

    #[test]
    fn the_question_is_one() {
        assert_eq!(Query::from_canonical(super::QUESTION).unwrap().to_string(), super::QUESTION);
    }
}

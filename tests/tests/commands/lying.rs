//! A gateway that lies to an administrator: no answer is printed that cannot be one to what was asked, and none forges a line.

use std::sync::Arc;

use lango_identity::{Role, SpiffeId, server_config};
use lango_testkit::TestRegion;
use lango_transport::{Pressure, ServerLimits};
use lango_wire::{
    Act, Administration,
    pb::{
        self,
        administration_service_administer_response::Found,
        administration_service_server::{AdministrationService, AdministrationServiceServer},
    },
};
use tokio::net::TcpListener;
use tonic::{Request, Response, Status, service::Routes};

use crate::administration::AtGateway;

/// What it answers to an act.
type Script = Arc<dyn Fn(Act) -> Found + Send + Sync>;

struct Lying {
    ama: SpiffeId,
    script: Script,
}

#[tonic::async_trait]
impl AdministrationService for Lying {
    async fn administer(
        &self,
        request: Request<pb::AdministrationServiceAdministerRequest>,
    ) -> Result<Response<pb::AdministrationServiceAdministerResponse>, Status> {
        let payload = request.into_inner().act.unwrap().payload;
        let Administration { act, .. } = Administration::decode(&payload, &self.ama).unwrap();
        let found = Some((self.script)(act));
        Ok(Response::new(pb::AdministrationServiceAdministerResponse { found }))
    }
}

/// An administrator at a gateway that answers by a script.
async fn ama(world: &TestRegion, script: impl Fn(Act) -> Found + Send + Sync + 'static) -> AtGateway {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    let tls = server_config(&world.identity(Role::Office, "GHA").tls(), &world.region).unwrap();
    let lying = Lying { ama: world.id(Role::Administrator, "ama"), script: Arc::new(script) };
    let routes = Routes::new(AdministrationServiceServer::new(lying));
    tokio::spawn(async move {
        let limits = ServerLimits::default();
        let metrics = lango_metrics::Metrics::of_gateway(&[]);
        let limits = (&limits, &Pressure::default(), &metrics);
        lango_transport::serve(listener, tls, routes, limits, std::future::pending()).await;
    });
    AtGateway::of(world, &address, Role::Administrator, "ama")
}

fn record(sequence: i64) -> pb::Record {
    pb::Record {
        sequence,
        at: 1_800_000_000,
        principal: "spiffe://ecowas.example/analyst/awa".to_owned(),
        request_digest: vec![1; 32],
        policy_digest: vec![2; 32],
        decision: "described".to_owned(),
        charged: Some(pb::Loss { pure_nano: Some(0), ..pb::Loss::default() }),
        ..pb::Record::default()
    }
}

fn review(asked_at: i64, id: u8) -> pb::Review {
    pb::Review {
        review_id: vec![id; 16],
        query_digest: vec![1; 32],
        terms_digest: vec![2; 32],
        asked_at,
        state: "waiting".to_owned(),
        loss: Some(pb::Loss { pure_nano: Some(1), ..pb::Loss::default() }),
        ..pb::Review::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_do_not_fall_are_not_believed() {
    let world = TestRegion::new();
    let ama = ama(&world, |act| match act {
        // Each page begins one below where the one before ended, but for the third, which does not move.
        Act::Records { before, .. } => {
            let records = vec![record(before.map_or(9, |before| (before - 1).max(8)))];
            Found::Records(pb::RecordPage { records, more: true })
        }
        Act::Reviews { after, .. } => {
            let reviews = vec![review(5, after.map_or(1, |after| (after[0] + 1).min(2)))];
            Found::Reviews(pb::ReviewPage { reviews, more: true })
        }
        other => panic!("{other:?}"),
    })
    .await;
    for words in [["ledger", "history"], ["review", "list"]] {
        let (shown, _) = ama.done(&words, &["--most", "2", "--format", "csv"]);
        assert_eq!(shown.lines().count(), 3, "{shown}");
        let (code, stdout, stderr) = ama.run(&words, &["--most", "3"]);
        assert_eq!((code, stdout.as_str()), (Some(1), ""), "{words:?}");
        assert!(stderr.contains("answers something else than was asked"), "{stderr}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_word_of_a_gateway_ends_a_line() {
    let world = TestRegion::new();
    for end in ["\n", "\r", "\u{85}", "\u{2028}"] {
        let forged = format!("a{end}FORGED");
        let ama = ama(&world, move |act| {
            let text = || forged.clone();
            match act {
                Act::Ledger => {
                    let account = pb::LedgerAccount {
                        pool: text(),
                        grant: Some(text()),
                        period: text(),
                        account: Some(lango_privacy::Accounting::Pure.into()),
                        charged: Some(pb::Loss { pure_nano: Some(0), ..pb::Loss::default() }),
                        ..pb::LedgerAccount::default()
                    };
                    Found::Accounts(pb::LedgerAccounts { accounts: vec![account] })
                }
                Act::Records { .. } => {
                    let (dataset, query, rule, agreement) =
                        (Some(text()), Some(text()), Some(text()), Some(text()));
                    let (principal, purpose, decision, reason) = (text(), text(), text(), text());
                    let record = record(9);
                    let record = pb::Record {
                        principal,
                        purpose,
                        decision,
                        reason,
                        dataset,
                        query,
                        rule,
                        agreement,
                        ..record
                    };
                    Found::Records(pb::RecordPage { records: vec![record], more: false })
                }
                Act::Policy => {
                    let signed = pb::PolicySigned { administrator: text(), at: 1_800_000_000 };
                    let waiting = pb::PolicyWaiting { digest: vec![1; 32], signed: vec![signed] };
                    Found::Policy(pb::PolicyStanding {
                        administrators: vec![text()],
                        waiting: Some(waiting),
                        ..pb::PolicyStanding::default()
                    })
                }
                Act::Reviews { .. } | Act::Review { .. } => {
                    let (query, dataset, grant, principal, purpose, why) =
                        (text(), text(), text(), text(), text(), text());
                    let (decided_at, decided_by) = (Some(1_800_000_000), Some(text()));
                    let review = review(5, 1);
                    let review = pb::Review {
                        query,
                        dataset,
                        grant,
                        principal,
                        purpose,
                        why,
                        decided_at,
                        decided_by,
                        ..review
                    };
                    if let Act::Reviews { .. } = act {
                        return Found::Reviews(pb::ReviewPage { reviews: vec![review], more: false });
                    }
                    let review =
                        pb::ReviewFile { review: Some(review), lapses_because: text(), tables: Vec::new() };
                    Found::FoundReviews(pb::ReviewsFound { reviews: vec![review] })
                }
                other @ (Act::Decide { .. } | Act::Sign { .. }) => panic!("{other:?}"),
            }
        })
        .await;
        for words in [
            &["ledger", "show"][..],
            &["ledger", "history"],
            &["policy", "status"],
            &["review", "list"],
            &["review", "show", "0101"],
        ] {
            let (shown, _) = ama.done(words, &[]);
            assert!(shown.contains("FORGED"), "{words:?}: {shown}");
            for line in shown.split(['\n', '\r', '\u{85}', '\u{2028}']) {
                assert!(!line.trim_start().starts_with("FORGED"), "{words:?} {end:?}: {shown}");
            }
        }
    }
}

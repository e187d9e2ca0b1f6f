//! Answers that an office's own key signs.

use lango_identity::{PayloadType, Signer, SpiffeId, digest};
use lango_privacy::{Accounting, Loss};
use lango_wire::{Basics, Cells, Charged, SignedDescription, SignedRelease, pb};

use crate::raw::field;

pub const PLAN: &str = "lango-plan 1\nunit person rows_at_most 1 cells_at_most 1\nterms 0000000000000000000000000000000000000000000000000000000000000000\n\
                        margin persons by sex mechanism discrete-laplace scale 2 sensitivity 1 price 1000000000\n";
pub const LAYOUT: &str = "codes sex F,M,_O,_U\nmargin persons by sex\n";

/// A release of these texts and integers in answer to a signed question; `cells` are what is said to be signed.
pub fn release(
    signer: &Signer,
    office: &SpiffeId,
    payload: &[u8],
    layout: &str,
    cells: &[i64],
) -> pb::Release {
    let query = lango_wire::Question::decode(payload, &analyst(office)).unwrap().query;
    let charged = Charged { loss: Loss::pure(1_000_000_000), repeated: false, account: Accounting::Pure };
    let signed = SignedRelease {
        basics: Basics {
            request_digest: digest(PayloadType::Query, payload),
            query_digest: digest(PayloadType::Text, query.as_bytes()),
            office: office.clone(),
            dataset_version: "2024-07-01".to_owned(),
            policy_digest: [3; 32],
            plan_digest: digest(PayloadType::Plan, PLAN.as_bytes()),
            layout_digest: digest(PayloadType::Layout, layout.as_bytes()),
            loss: charged.loss,
            time: 1,
        },
        cells_digest: Cells(cells).digest(),
        release_id: [4; 16],
        charged: Some(charged),
        agreement: None,
        hidden: None,
    };
    pb::Release {
        envelope: Some(signer.sign(PayloadType::Release, signed.encode()).into()),
        plan: PLAN.to_owned(),
        layout: layout.to_owned(),
        cells: cells.to_vec(),
        charged: Some(charged.loss.into()),
        repeated: false,
        account: Some(charged.account.into()),
        earlier: Vec::new(),
        hidden: Vec::new(),
        receipt: None,
    }
}

/// A gateway's answer to a signed look-up, with these bytes as its datasets, as it travels.
pub fn description(signer: &Signer, office: &SpiffeId, payload: &[u8], datasets: &[u8]) -> Vec<u8> {
    let signed = SignedDescription {
        request_digest: digest(PayloadType::Lookup, payload),
        office: office.clone(),
        policy_digest: [3; 32],
        datasets_digest: digest(PayloadType::Datasets, datasets),
        time: 1,
    };
    let envelope: pb::Envelope = signer.sign(PayloadType::Description, signed.encode()).into();
    let certificates = envelope.certificates.iter().map(|certificate| field(4, certificate));
    let parts = [
        field(1, envelope.r#type.as_bytes()),
        field(2, &envelope.payload),
        field(3, &envelope.signature),
        certificates.collect::<Vec<_>>().concat(),
    ];
    field(2, &[field(1, &parts.concat()), field(2, datasets)].concat())
}

fn analyst(office: &SpiffeId) -> SpiffeId {
    format!("spiffe://{}/analyst/awa", office.trust_domain()).parse().unwrap()
}

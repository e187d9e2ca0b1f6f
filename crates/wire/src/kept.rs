//! Answers as a store keeps them for a request that is sent again: bytes that become the same message once more.
//!
//! What a release's own row holds already (plan, layout and cells) is left out, and put back from there by [`Kept::fill`], which
//! hides again what was hidden.

use lango_statistics::Hidden;
use prost::Message;
use tonic::{Code, Status};

use crate::{pb, sealed::in_one_field};

/// An answer that was kept.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The dataset that it is of, where it is of one: its answers may leave on a time grid.
    pub dataset: Option<String>,
    /// What was answered.
    pub body: KeptBody,
}

/// What was answered.
#[derive(Debug, Clone)]
pub enum KeptBody {
    /// A release, which lacks what its row holds until it is filled, and the earlier ones that travel with it.
    Release(Box<pb::Release>, Vec<pb::Release>),
    /// A price.
    Estimate(Box<pb::Estimate>),
    /// A description.
    Description(pb::Description),
    /// A refusal, with its signature.
    Refusal(Box<Status>),
}

/// What a stored release holds and a kept answer leaves out.
#[derive(Debug, Clone)]
pub struct Filling {
    /// The plan's text.
    pub plan: String,
    /// The layout's text.
    pub layout: String,
    /// The noisy integers.
    pub cells: Vec<i64>,
}

const RELEASE: u8 = 1;
const ESTIMATE: u8 = 2;
// 3 was a description without a signature.
const REFUSAL: u8 = 4;
const DESCRIPTION: u8 = 5;

/// A release as it is kept.
pub fn release(dataset: &str, release: &pb::Release) -> Vec<u8> {
    let mut body = without_filling(release).encode_length_delimited_to_vec();
    for earlier in split(&release.earlier).unwrap_or_default() {
        body.extend(without_filling(&earlier).encode_length_delimited_to_vec());
    }
    frame(RELEASE, Some(dataset), &body)
}

/// A price as it is kept.
pub fn estimate(dataset: &str, estimate: &pb::Estimate) -> Vec<u8> {
    frame(ESTIMATE, Some(dataset), &estimate.encode_to_vec())
}

/// A description as it is kept.
pub fn description(description: &pb::Description) -> Vec<u8> {
    frame(DESCRIPTION, None, &description.encode_to_vec())
}

/// A refusal as it is kept.
pub fn refusal(dataset: Option<&str>, status: &Status) -> Vec<u8> {
    let mut body = i32::from(status.code()).to_be_bytes().to_vec();
    body.extend(u32::try_from(status.message().len()).unwrap_or_default().to_be_bytes());
    body.extend(status.message().as_bytes());
    body.extend(status.details());
    frame(REFUSAL, dataset, &body)
}

/// Reads what was kept; `None` where it is damaged.
pub fn read(bytes: &[u8]) -> Option<Kept> {
    let (&kind, rest) = bytes.split_first()?;
    let (dataset, body) = text(rest)?;
    let body = match kind {
        RELEASE => {
            let mut releases = split(body)?.into_iter();
            KeptBody::Release(Box::new(releases.next()?), releases.collect())
        }
        ESTIMATE => KeptBody::Estimate(Box::new(pb::Estimate::decode(body).ok()?)),
        DESCRIPTION => KeptBody::Description(pb::Description::decode(body).ok()?),
        REFUSAL => {
            let (code, rest) = body.split_first_chunk()?;
            let (message, details) = text(rest)?;
            let code = Code::from(i32::from_be_bytes(*code));
            KeptBody::Refusal(Box::new(Status::with_details(code, message, details.to_vec().into())))
        }
        _ => return None,
    };
    Some(Kept { dataset: (!dataset.is_empty()).then(|| dataset.to_owned()), body })
}

impl Kept {
    /// The releases whose rows hold what was left out, in the order in which [`Kept::fill`] takes them; `None` where one is
    /// damaged.
    pub fn left_out(&self) -> Option<Vec<[u8; 16]>> {
        match &self.body {
            KeptBody::Release(release, earlier) => {
                [&**release].into_iter().chain(earlier).map(release_id).collect()
            }
            KeptBody::Estimate(_) | KeptBody::Description(_) | KeptBody::Refusal(_) => Some(Vec::new()),
        }
    }

    /// Puts back what was left out.
    pub fn fill(&mut self, fillings: Vec<Filling>) {
        let KeptBody::Release(release, earlier) = &mut self.body else { return };
        let mut fillings = fillings.into_iter();
        fill(release, fillings.next());
        for earlier in &mut *earlier {
            fill(earlier, fillings.next());
        }
        release.earlier = in_one_field(earlier);
    }
}

fn fill(release: &mut pb::Release, filling: Option<Filling>) {
    if let Some(Filling { plan, layout, cells }) = filling {
        (release.plan, release.layout, release.cells) = (plan, layout, cells);
        if let Some(hidden) = Hidden::read(&release.hidden, release.cells.len()) {
            hidden.cover(&mut release.cells);
        }
    }
}

fn without_filling(release: &pb::Release) -> pb::Release {
    pb::Release {
        envelope: release.envelope.clone(),
        plan: String::new(),
        layout: String::new(),
        cells: Vec::new(),
        charged: release.charged,
        repeated: release.repeated,
        account: release.account,
        earlier: Vec::new(),
        hidden: release.hidden.clone(),
        receipt: None,
    }
}

/// Releases behind their lengths.
fn split(mut bytes: &[u8]) -> Option<Vec<pb::Release>> {
    let mut releases = Vec::new();
    while !bytes.is_empty() {
        releases.push(pb::Release::decode_length_delimited(&mut bytes).ok()?);
    }
    Some(releases)
}

fn release_id(release: &pb::Release) -> Option<[u8; 16]> {
    let payload = &release.envelope.as_ref()?.payload;
    pb::ReleasePayload::decode(payload.as_slice()).ok()?.release_id.try_into().ok()
}

fn frame(kind: u8, dataset: Option<&str>, body: &[u8]) -> Vec<u8> {
    let dataset = dataset.unwrap_or_default().as_bytes();
    let mut bytes = vec![kind];
    bytes.extend(u32::try_from(dataset.len()).unwrap_or_default().to_be_bytes());
    bytes.extend(dataset);
    bytes.extend(body);
    bytes
}

/// A text after its length, and the rest.
fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (text, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    Some((std::str::from_utf8(text).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_release(id: u8, earlier: Vec<pb::Release>) -> pb::Release {
        let payload = pb::ReleasePayload { release_id: vec![id; 16], ..Default::default() };
        let envelope =
            pb::Envelope { payload: payload.encode_to_vec(), signature: vec![id; 64], ..Default::default() };
        pb::Release {
            envelope: Some(envelope),
            plan: format!("plan {id}"),
            layout: format!("layout {id}"),
            cells: vec![i64::from(id), i64::MIN, i64::MAX],
            charged: Some(pb::Loss { pure_nano: Some(7), rho_nano: 1, delta_e18: 0 }),
            repeated: id == 1,
            account: Some(pb::Account::default()),
            earlier: in_one_field(&earlier),
            hidden: vec![],
            receipt: None,
        }
    }

    #[test]
    fn what_was_hidden_is_hidden_again_in_a_kept_release() {
        let mut whole = a_release(1, vec![]);
        let Filling { plan, layout, cells } =
            Filling { plan: whole.plan.clone(), layout: whole.layout.clone(), cells: whole.cells.clone() };
        (whole.hidden, whole.cells[1]) = (vec![0b010], 0);
        let mut kept = read(&release("residents", &whole)).unwrap();
        kept.fill(vec![Filling { plan, layout, cells }]);
        let KeptBody::Release(found, _) = kept.body else { panic!() };
        assert_eq!(found.encode_to_vec(), whole.encode_to_vec());
    }

    #[test]
    fn a_kept_release_becomes_the_same_bytes_with_what_its_rows_hold() {
        let whole = a_release(1, vec![a_release(2, vec![]), a_release(3, vec![])]);
        let bytes = release("residents", &whole);
        assert!(!String::from_utf8_lossy(&bytes).contains("layout"));
        let mut kept = read(&bytes).unwrap();
        assert_eq!(kept.dataset.as_deref(), Some("residents"));
        assert_eq!(kept.left_out(), Some(vec![[1; 16], [2; 16], [3; 16]]));
        let fillings = [1, 2, 3].map(|id| {
            let pb::Release { plan, layout, cells, .. } = a_release(id, vec![]);
            Filling { plan, layout, cells }
        });
        kept.fill(fillings.into());
        let KeptBody::Release(found, _) = kept.body else { panic!() };
        assert_eq!(found.encode_to_vec(), whole.encode_to_vec());
    }

    #[test]
    fn other_answers_are_kept_whole_and_what_is_damaged_is_not_read() {
        let price = pb::Estimate { queries_left: 3, plan: "p".into(), ..Default::default() };
        let described = pb::Description { datasets: b"\x01datasets".to_vec(), ..Default::default() };
        let refused = Status::with_details(Code::PermissionDenied, "no é", b"\x01details".to_vec().into());
        let all = [
            estimate("d", &price),
            description(&described),
            refusal(None, &refused),
            refusal(Some("d"), &refused),
        ];
        for (number, bytes) in all.iter().enumerate() {
            let kept = read(bytes).unwrap();
            assert_eq!(kept.left_out(), Some(vec![]));
            assert_eq!(kept.dataset.is_some(), [true, false, false, true][number]);
            match kept.body {
                KeptBody::Estimate(found) => assert_eq!(*found, price),
                KeptBody::Description(found) => assert_eq!(found, described),
                KeptBody::Refusal(found) => assert_eq!(
                    (found.code(), found.message(), found.details()),
                    (refused.code(), refused.message(), refused.details())
                ),
                KeptBody::Release(..) => panic!(),
            }
            for end in 0..5 {
                assert!(read(&bytes[..end]).is_none());
            }
        }
        for unknown in [3, 9] {
            assert!(read(&[unknown, 0, 0, 0, 0]).is_none());
        }
    }
}

//! Chains of certificates: what verifiers take is sent, and arrives.

use std::time::Duration;

use lango_identity::{PayloadType, digest};
use lango_testkit::{Office, Policy, Register, TestCoordinator, TestIdentity, TestRegion, persons};
use lango_wire::pb::{self, member_answer, member_estimate};

/// An office with this number of authorities between its certificates and the region's, and the region's own authority at the end
/// of both chains; a certificate of the chain that signs has a comment of this length. And a coordinator over the office.
async fn below(world: &TestRegion, authorities: usize, comment_bytes: usize) -> (Office, TestCoordinator) {
    let mut office = Office::prepare(world, "GHA", &Policy::of("GHA"), &Register::sample(3));
    // Chains in TLS are shorter.
    let TestIdentity { tls, .. } = world.full_chain(world.below(&office.identity, authorities, 10));
    let TestIdentity { signing, .. } =
        world.full_chain(world.below(&office.identity, authorities, comment_bytes));
    office.identity = TestIdentity { tls, signing, ..office.identity };
    office.up().await.unwrap();
    let members = vec![(office.id.clone(), office.address())];
    let coordinator = TestCoordinator::start(world, members, Duration::from_secs(20)).await;
    (office, coordinator)
}

#[tokio::test]
async fn a_refusal_reaches_its_asker_however_long_the_chain_under_its_signature() {
    let world = TestRegion::new();
    // The last has four certificates of 16 KiB, but for what is not their comment: the longest that verifiers take.
    for (authorities, comment_bytes) in [(0, 10), (3, 2_200), (3, 15_850)] {
        let (office, coordinator) = below(&world, authorities, comment_bytes).await;
        let analyst = world.analyst();
        let text = persons("by sex", "1").replace("persons", "sum(age)");
        // At the gateway itself.
        for failed in [
            analyst.ask(&office, &text).await.map(drop).unwrap_err(),
            analyst.estimate(&office, &text).await.map(drop).unwrap_err(),
        ] {
            assert_eq!(failed.refusal(), "measure-not-granted");
        }
        // Through the coordinator, as a question and as a price enquiry.
        let question = || analyst.question(&[&office.id], &text).encode();
        let query = analyst.sign(PayloadType::Query, question());
        let relayed = analyst.relay(&coordinator, &query, false).await.unwrap();
        let Some(member_answer::Outcome::Refusal(refusal)) = &relayed.members[0].outcome else {
            panic!("{authorities} {comment_bytes}: {:?}", relayed.members)
        };
        let signed = |refusal: &pb::Refusal, digest: &[u8; 32]| {
            let envelope = refusal.envelope.as_ref().unwrap();
            assert_eq!(envelope.certificates.len(), authorities + 1);
            analyst.inquiry(digest, None).refusal_in(&envelope.clone().into(), &office.id).unwrap().code
        };
        assert_eq!(signed(refusal, &digest(PayloadType::Query, &query.payload)), "measure-not-granted");
        let estimate = analyst.sign(PayloadType::Estimate, question());
        let request = pb::CoordinatorServiceEstimateRequest { estimate: Some(estimate.clone()) };
        let mut prices =
            analyst.coordinator(&coordinator).await.estimate(request).await.unwrap().into_inner();
        let member = prices.message().await.unwrap().unwrap().member.unwrap();
        let Some(member_estimate::Outcome::Refusal(refusal)) = &member.outcome else { panic!("{member:?}") };
        assert_eq!(signed(refusal, &digest(PayloadType::Estimate, &estimate.payload)), "measure-not-granted");
        // An answer arrives as well.
        let query = analyst.question(&[&office.id], &persons("by sex", "1")).encode();
        let query = analyst.sign(PayloadType::Query, query);
        let relayed = analyst.relay(&coordinator, &query, false).await.unwrap();
        assert_eq!(relayed.result.coverage.unwrap().answered, ["GHA"]);
        coordinator.stop().await;
    }
}

//! The two-person rule: a change of the policy decides when two administrators of the office have signed it, and not before.

use lango_gateway::{Activation, OpenError, PolicyChange, PolicyStanding, Travels, WaitingPolicy};
use lango_identity::{PayloadType, Role};
use lango_testkit::{
    Caller, FailedCall, Office, Policy, Register, TestGrant, TestLedger, TestRegion, persons,
};
use lango_wire::{Act, pb::administration_service_administer_response::Found};
use tonic::Code;

/// What a question may cost at most.
fn policy(epsilon: &str) -> String {
    Policy::of("GHA").grants([TestGrant::of(epsilon, "5")]).text()
}

/// An office with three administrators that decides by `policy("0.5")`.
async fn started(world: &TestRegion) -> Office {
    let mut office = Office::prepare(world, "GHA", &Policy::of("GHA"), &Register::sample(5));
    office.write_policy(&policy("0.5"));
    office.up().await.unwrap();
    office.down().await;
    two(world, &mut office, &["ama", "kofi", "esi"]).await;
    office
}

/// Starts it with the rule and these administrators.
async fn two(world: &TestRegion, office: &mut Office, names: &[&str]) {
    office.administrators.listed = names.iter().map(|name| world.id(Role::Administrator, name)).collect();
    office.administrators.activation = Activation::Two;
    office.up().await.unwrap();
}

fn administrator(world: &TestRegion, name: &str) -> Caller {
    world.caller(Role::Administrator, name)
}

fn standing(found: Found) -> PolicyStanding {
    let Found::Policy(standing) = found else { panic!("the policy's standing") };
    PolicyStanding::of_message(standing).unwrap()
}

async fn status(world: &TestRegion, office: &Office) -> PolicyStanding {
    standing(administrator(world, "ama").administer(office, Act::Policy).await.unwrap())
}

/// Saves a policy that then waits; its digest.
async fn waits(office: &Office, policy: &str) -> [u8; 32] {
    match office.change(policy).await.unwrap() {
        PolicyChange::Waits { digest } => digest,
        other => panic!("{other:?}"),
    }
}

fn hex(digest: &[u8; 32]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn refusal(failed: Result<Found, FailedCall>) -> String {
    failed.unwrap_err().refusal().to_owned()
}

/// The most that a question may cost now.
async fn is_allowed(world: &TestRegion, office: &Office, epsilon: &str) -> bool {
    world.analyst().estimate(office, &persons("by sex", epsilon)).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_administrators_activate_a_change_and_one_cannot() {
    let world = TestRegion::new();
    let office = started(&world).await;
    let (ama, kofi) = (administrator(&world, "ama"), administrator(&world, "kofi"));
    let before = status(&world, &office).await;
    assert_eq!((before.signatures_needed, &before.waiting), (2, &None));
    assert!(is_allowed(&world, &office, "0.5").await);
    assert!(world.analyst().ask(&office, &persons("by sex", "0.4")).await.is_ok());

    let digest = waits(&office, &policy("1")).await;
    let sign = Act::Sign { policy: digest };
    let waiting = status(&world, &office).await;
    assert_eq!((waiting.in_force, waiting.waiting.unwrap().digest), (before.in_force, digest));
    assert!(!is_allowed(&world, &office, "1").await, "nothing unsigned decides");

    // One cannot, however often, neither anew nor with the same act.
    let act = ama.sign(PayloadType::Administration, ama.act(&office.id, sign.clone()).encode());
    let signed = standing(ama.send_act(&office, &act).await.unwrap()).waiting.unwrap().signed;
    assert_eq!(signed.iter().map(|one| one.administrator.as_str()).collect::<Vec<_>>(), [ama.id.to_string()]);
    assert_eq!(refusal(ama.administer(&office, sign.clone()).await), "policy-signed-already");
    for sender in [&ama, &kofi] {
        assert_eq!(refusal(sender.send_act(&office, &act).await), "act-done");
    }
    // Nor can one who is none of this office's, or whose certificate proves nothing.
    for other in [world.analyst(), administrator(&world, "yaw"), world.caller(Role::Auditor, "kofi")] {
        assert_eq!(refusal(other.administer(&office, sign.clone()).await), "not-administrator");
    }
    let foreign = administrator(&TestRegion::new(), "kofi");
    let foreign = Caller::new(kofi.tls.clone(), foreign.signer, world.region.clone(), world.clock.clone());
    let over = world.caller_with(&world.identity_of(&kofi.id, world.lifetime(), world.past()));
    for other in [foreign, over] {
        assert_eq!(other.administer(&office, sign.clone()).await.unwrap_err().code, Code::Unauthenticated);
    }
    // Nor does a signature for another office or of another policy.
    let elsewhere = kofi.act(&world.id(Role::Office, "TGO"), sign.clone());
    let elsewhere = kofi.sign(PayloadType::Administration, elsewhere.encode());
    assert_eq!(refusal(kofi.send_act(&office, &elsewhere).await), "not-addressed");
    let failed = kofi.administer(&office, Act::Sign { policy: [7; 32] }).await.unwrap_err();
    assert_eq!(failed.refusal(), "policy-not-waiting");
    assert_eq!(failed.signed.unwrap().arguments.get("waiting"), Some(hex(&digest).as_str()));
    assert!(!is_allowed(&world, &office, "1").await);

    let after = standing(kofi.administer(&office, sign.clone()).await.unwrap());
    assert_eq!((after.in_force, after.waiting), (Some(digest), None));
    assert!(is_allowed(&world, &office, "1").await);
    assert_eq!(office.ledger().pure_nano(""), 400_000_000, "spent budgets survive");
    assert_eq!(refusal(ama.administer(&office, sign).await), "policy-not-waiting");
    let records = office.records();
    let signed: Vec<_> = records
        .iter()
        .filter(|record| ["signed", "activated"].contains(&record.decision.as_str()))
        .map(|record| (record.principal.rsplit('/').next().unwrap(), record.reason.as_str()))
        .collect();
    let digest = hex(&digest);
    assert_eq!(signed, [("ama", digest.as_str()), ("kofi", digest.as_str()), ("GHA", "")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_changes_after_a_signature_waits_anew_and_so_does_one_that_comes_back() {
    let world = TestRegion::new();
    let office = started(&world).await;
    let (ama, kofi) = (administrator(&world, "ama"), administrator(&world, "kofi"));
    let sign = async |caller: &Caller, policy| caller.administer(&office, Act::Sign { policy }).await;
    let first = waits(&office, &policy("1")).await;
    sign(&ama, first).await.unwrap();
    let second = waits(&office, &policy("2")).await;
    assert_eq!(refusal(sign(&kofi, first).await), "policy-not-waiting");
    sign(&kofi, second).await.unwrap();
    assert!(!is_allowed(&world, &office, "1").await, "each has one signature");
    // Back to the first, which one has signed: the signature ended when the folder held another policy.
    assert_eq!(waits(&office, &policy("1")).await, first);
    sign(&kofi, first).await.unwrap();
    assert!(!is_allowed(&world, &office, "1").await);
    sign(&ama, first).await.unwrap();
    assert!(is_allowed(&world, &office, "1").await && !is_allowed(&world, &office, "2").await);
    // What was signed before a change came into force is good for nothing after it.
    assert_eq!(waits(&office, &policy("2")).await, second);
    sign(&ama, second).await.unwrap();
    assert!(!is_allowed(&world, &office, "2").await);
    sign(&kofi, second).await.unwrap();
    assert!(is_allowed(&world, &office, "2").await);
    assert_eq!(waits(&office, &policy("1")).await, first, "one person cannot bring back what was replaced");
    // A folder that is wrong waits for nobody, and the one in force stays.
    office.change("policy = 2").await.unwrap_err();
    assert_eq!(refusal(sign(&ama, first).await), "policy-not-waiting");
    assert!(!status(&world, &office).await.refused.is_empty());
    assert!(is_allowed(&world, &office, "2").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_decides_by_what_was_activated_last_and_by_nothing_where_nothing_was() {
    let world = TestRegion::new();
    let mut office = started(&world).await;
    office.down().await;
    office.write_policy(&policy("1"));
    office.up().await.unwrap();
    assert!(is_allowed(&world, &office, "0.5").await && !is_allowed(&world, &office, "1").await);
    let digest = status(&world, &office).await.waiting.unwrap().digest;
    administrator(&world, "ama").administer(&office, Act::Sign { policy: digest }).await.unwrap();
    // Who is not listed any more has not signed, and what was signed outlives a start.
    office.down().await;
    two(&world, &mut office, &["kofi", "esi"]).await;
    administrator(&world, "kofi").administer(&office, Act::Sign { policy: digest }).await.unwrap();
    assert!(!is_allowed(&world, &office, "1").await);
    // Nor has one who is listed again.
    office.down().await;
    two(&world, &mut office, &["ama", "kofi", "esi"]).await;
    assert_eq!(signers(&status(&world, &office).await.waiting.unwrap()), ["kofi"]);
    assert!(!is_allowed(&world, &office, "1").await);
    administrator(&world, "esi").administer(&office, Act::Sign { policy: digest }).await.unwrap();
    assert!(is_allowed(&world, &office, "1").await);
    office.down().await;
    office.up().await.unwrap();
    assert!(is_allowed(&world, &office, "1").await);

    // An office that has decided nothing yet.
    let mut new = Office::prepare(&world, "TGO", &Policy::of("TGO"), &Register::sample(5));
    two(&world, &mut new, &["ama", "kofi"]).await;
    let refused = world.analyst().estimate(&new, &persons("by sex", "0.5")).await.unwrap_err();
    assert_eq!(refused.refusal(), "dataset-unknown");
    let first = status(&world, &new).await;
    assert_eq!(first.in_force, None, "no policy has come into force");
    let digest = first.waiting.unwrap().digest;
    for name in ["ama", "kofi"] {
        administrator(&world, name).administer(&new, Act::Sign { policy: digest }).await.unwrap();
    }
    assert!(is_allowed(&world, &new, "0.5").await);
    let records = new.records();
    assert!(records.iter().any(|record| record.decision == "activated"), "the first one is on record too");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_administers_an_office_and_how_is_on_record_whenever_it_changes() {
    let world = TestRegion::new();
    let mut office = Office::prepare(&world, "GHA", &Policy::of("GHA"), &Register::sample(5));
    let changes = |office: &Office| -> Vec<String> {
        let mut records = office.records();
        records.retain(|record| record.decision == "configured");
        assert!(records.iter().all(|record| record.principal == office.id.to_string()));
        records.into_iter().map(|record| record.reason).collect()
    };
    office.up().await.unwrap();
    office.down().await;
    assert!(changes(&office).is_empty(), "a new store's office lists nobody");
    let (both, one) = ("activation two, administrators ama, kofi", "activation one, administrators ama");
    let mut expected = vec![format!("{both}; before: activation one, administrators none")];
    // The order of the list does not count.
    for names in [["ama", "kofi"], ["kofi", "ama"]] {
        two(&world, &mut office, &names).await;
        office.down().await;
        assert_eq!(changes(&office), expected);
    }
    // Who switches the rule off and has another policy decide at one start leaves both on record, in this order.
    office.write_policy(&policy("1"));
    office.administrators.listed = vec![world.id(Role::Administrator, "ama")];
    office.administrators.activation = Activation::One;
    office.up().await.unwrap();
    expected.push(format!("{one}; before: {both}"));
    assert_eq!(changes(&office), expected);
    let decisions: Vec<String> = office.records().into_iter().map(|record| record.decision).collect();
    assert_eq!(decisions[decisions.len() - 2..], ["configured", "activated"]);
}

/// The names of those who signed a policy.
fn signers(policy: &WaitingPolicy) -> Vec<&str> {
    policy.signed.iter().map(|one| one.administrator.rsplit('/').next().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_ends_with_the_proposal_and_after_seven_days() {
    let world = TestRegion::new();
    let office = started(&world).await;
    let (ama, kofi) = (administrator(&world, "ama"), administrator(&world, "kofi"));
    let sign = async |caller: &Caller, policy| caller.administer(&office, Act::Sign { policy }).await;
    // A proposal is given up, and comes back: nobody has signed it.
    let digest = waits(&office, &policy("1")).await;
    sign(&ama, digest).await.unwrap();
    assert_eq!(office.change(&policy("0.5")).await.unwrap(), PolicyChange::Same);
    assert_eq!(waits(&office, &policy("1")).await, digest);
    let signed = standing(sign(&kofi, digest).await.unwrap());
    assert_eq!(signers(&signed.waiting.unwrap()), ["kofi"]);
    // The same where the folder was wrong meanwhile.
    office.change("policy = 2").await.unwrap_err();
    assert_eq!(waits(&office, &policy("1")).await, digest);
    assert!(signers(&status(&world, &office).await.waiting.unwrap()).is_empty());
    // One second before it is seven days old a signature counts, and then no more; it can be made anew.
    sign(&ama, digest).await.unwrap();
    world.clock.advance(7 * 86_400 - 1);
    let shown = standing(kofi.administer(&office, Act::Policy).await.unwrap());
    assert_eq!(signers(&shown.waiting.unwrap()), ["ama"]);
    world.clock.advance(1);
    let signed = standing(sign(&kofi, digest).await.unwrap());
    assert_eq!(signers(&signed.waiting.unwrap()), ["kofi"]);
    assert_ne!(signed.in_force, Some(digest));
    let done = standing(sign(&ama, digest).await.unwrap());
    assert_eq!(done.in_force, Some(digest));
    // Within one second they stand in the order of their names.
    assert!([["ama", "kofi"], ["kofi", "ama"]].contains(&signers(&done.signed[0])[..].try_into().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_signed_and_could_not_come_into_force_ends_with_the_folder() {
    let world = TestRegion::new();
    let office = started(&world).await;
    let (ama, kofi) = (administrator(&world, "ama"), administrator(&world, "kofi"));
    let sign = async |caller: &Caller, policy| caller.administer(&office, Act::Sign { policy }).await;
    let digest = waits(&office, &policy("1")).await;
    sign(&ama, digest).await.unwrap();
    office.database.away();
    let failed = standing(sign(&kofi, digest).await.unwrap());
    office.database.back();
    // Who signed last sees that both signatures stand, and why the policy does not decide.
    assert_eq!((failed.in_force == Some(digest), failed.waiting, failed.refused.len()), (false, None, 1));
    assert_eq!((failed.signed[0].digest, signers(&failed.signed[0])), (digest, vec!["ama", "kofi"]));
    assert_eq!(office.change(&policy("0.5")).await.unwrap(), PolicyChange::Same);
    assert!(status(&world, &office).await.signed.is_empty());
    // Who saves it again gets it signed by nobody.
    assert_eq!(waits(&office, &policy("1")).await, digest);
    assert!(!is_allowed(&world, &office, "1").await);
    // As long as the folder holds it, it comes into force when it can.
    sign(&ama, digest).await.unwrap();
    office.database.away();
    sign(&kofi, digest).await.unwrap();
    office.database.back();
    assert_eq!(office.change(&policy("1")).await.unwrap(), PolicyChange::Activated { digest });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_wrong_keeps_no_gateway_from_the_policy_that_was_activated_last() {
    let world = TestRegion::new();
    let mut office = started(&world).await;
    let digest = waits(&office, &policy("1")).await;
    administrator(&world, "ama").administer(&office, Act::Sign { policy: digest }).await.unwrap();
    office.down().await;
    office.write_policy("policy = 2");
    office.up().await.unwrap();
    assert!(is_allowed(&world, &office, "0.5").await);
    let wrong = status(&world, &office).await;
    assert_eq!((wrong.waiting, wrong.signed), (None, Vec::new()));
    assert!(!wrong.refused.is_empty());
    assert_eq!(waits(&office, &policy("1")).await, digest);
    assert!(signers(&status(&world, &office).await.waiting.unwrap()).is_empty());
    // Where one person changes the policy, or nothing was activated, there is no other one to begin with.
    office.down().await;
    office.write_policy("policy = 2");
    office.administrators.activation = Activation::One;
    assert!(matches!(office.up().await, Err(OpenError::Policy(_))));
    let mut new = Office::prepare(&world, "TGO", &Policy::of("TGO"), &Register::sample(5));
    new.write_policy("policy = 2");
    new.administrators = office.administrators.clone();
    new.administrators.activation = Activation::Two;
    assert!(matches!(new.up().await, Err(OpenError::Policy(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_review_lapses_while_no_policy_is_in_force() {
    let world = TestRegion::new();
    let mut office = Office::prepare(&world, "GHA", &Policy::of("GHA"), &Register::sample(5));
    let grant = TestGrant { more: "review = \"required\"".to_owned(), ..TestGrant::of("1", "5") };
    office.write_policy(&Policy::of("GHA").grants([grant]).text());
    office.up().await.unwrap();
    let question = persons("by sex", "0.5");
    assert_eq!(world.analyst().ask(&office, &question).await.unwrap_err().refusal(), "review-waiting");
    office.down().await;
    // As in a store of a version that kept no policy.
    TestLedger::forget_policy(&office.store());
    two(&world, &mut office, &["ama", "kofi"]).await;
    let act = Act::Reviews { all: true, most: 9, after: None };
    let found = administrator(&world, "ama").administer(&office, act).await.unwrap();
    let Found::Reviews(page) = found else { panic!("reviews") };
    assert_eq!(page.reviews.iter().map(|review| review.state.as_str()).collect::<Vec<_>>(), ["waiting"]);
    let digest = status(&world, &office).await.waiting.unwrap().digest;
    for name in ["ama", "kofi"] {
        administrator(&world, name).administer(&office, Act::Sign { policy: digest }).await.unwrap();
    }
    assert_eq!(world.analyst().ask(&office, &question).await.unwrap_err().refusal(), "review-waiting");
}

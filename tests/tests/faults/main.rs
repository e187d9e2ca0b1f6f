//! Bad input and attacks: each by the test that makes it, asserts the refusal, and that nothing was charged or lost.
//!
//! - certificate expired, not yet valid, of another authority, none, for signing: `federation`
//!   `connections::a_handshake_that_fails_is_explained_on_the_failing_side`; identity `tls::tests`,
//!   `envelope::tests::a_certificate_that_breaks_a_rule_signs_nothing`; `federation`
//!   `envelopes::an_envelope_that_proves_nothing_is_refused_without_a_word_why`
//! - of another region, self-signed: `certificates` here; identity
//!   `tls::tests::a_client_whose_certificate_breaks_a_rule_is_refused`
//! - wrong role: `federation` `refusals::every_refusal_is_signed_recorded_and_free`,
//!   `envelopes::a_coordinator_that_calls_has_no_say_over_the_question`,
//!   `receipts::the_auditors_that_are_listed_read_all_of_the_log_and_nobody_else_reads_any`,
//!   `administration::the_administrators_that_are_listed_are_served_and_nobody_else`
//! - two names, none: identity `tls::tests::a_client_whose_certificate_breaks_a_rule_is_refused`,
//!   `envelope::tests::a_certificate_that_no_signer_takes_is_refused_too`
//! - revoked before and during a connection; list stale or absent: `federation` `revocations`, `commands` `revocations`
//! - an analyst as an office: `certificates` here; identity `tls::tests::a_server_that_is_not_the_expected_one_is_refused`
//! - a key for TLS as signer: `certificates` here; `federation` `envelopes`; identity `envelope::tests`
//! - altered query byte: `federation` `envelopes`; wire `question::tests`
//! - altered release byte: `coordinators` here; wire `answer::tests::a_release_that_was_tampered_with_is_not`
//! - replay: `federation` `replays`, `administration::a_signed_act_is_done_once_and_shows_nothing_to_who_sends_it_again`
//! - re-targeting: `federation` `refusals::every_refusal_is_signed_recorded_and_free` ("to another office"); wire `admit`
//! - a coordinator that drops, reorders, substitutes, adds, claims `repeated`: `coordinators` here; `hostile`
//!   `coordinators`, `members`
//! - a log with a flipped byte, an entry removed, inserted, reordered: access-log `fsck::tests`; `federation`
//!   `receipts::a_log_that_was_cut_back_or_changed_is_not_served_from`; `commands`
//!   `audit::a_changed_entry_is_refused_and_named`, `audit::a_folder_that_was_changed_is_not_proven`
//! - truncation, roll-back: `federation` `receipts`,
//!   `witness::a_store_that_was_rolled_back_does_not_serve_once_a_witness_has_come`; `commands`
//!   `audit::a_log_that_was_cut_back_is_refused`
//! - a fork shown to two auditors: `log` here
//! - checkpoint of another log, cosignature of a stranger: `log` here; access-log
//!   `checkpoint::tests::another_logs_checkpoint_proves_nothing`,
//!   `witness_policy::tests::strangers_and_other_logs_count_for_nothing`
//! - a thousand kills: `crash` `kills`
//! - disk full, not to be written: `stores` here
//! - clock back and forth over a period's end: `stores` here; `federation` `accounts`

mod certificates;
mod coordinators;
mod log;
#[allow(dead_code)]
#[path = "../crash/process.rs"]
mod process;
#[path = "../support/program.rs"]
mod program;
mod stores;

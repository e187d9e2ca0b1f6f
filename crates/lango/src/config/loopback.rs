//! An address that nobody reaches from outside the machine.

use std::net::SocketAddr;

use lango_document::{DiagnosticCode, FromDocument, ValueForm, WrittenValue};

/// An address of the loopback, with a port.
#[derive(Debug, Clone, Copy)]
pub struct Loopback(pub(super) SocketAddr);

impl FromDocument for Loopback {
    const FORM: ValueForm = ValueForm::Text;

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        let address = SocketAddr::read(written)?;
        if address.ip().to_canonical().is_loopback() {
            return Some(Self(address));
        }
        let message =
            format!("`{}` is an address of the loopback: nobody asks there who they are", written.key());
        let remedy = format!("write one such as \"127.0.0.1:{}\"", address.port());
        written.refuse(DiagnosticCode::Setting, (message, remedy))
    }
}

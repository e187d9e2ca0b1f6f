//! Numbers as people read them.

/// The digits of a whole number with thousands set apart: `1,234,567`.
#[must_use]
pub fn thousands(digits: &str) -> String {
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

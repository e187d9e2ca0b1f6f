//! A private key that rests encrypted: PKCS#8 with PBES2 (RFC 8018), as every tool reads it.

use pkcs8::der::Encode as _;
use pkcs8::pkcs5::{pbes2::Parameters, scrypt};
use pkcs8::{EncryptedPrivateKeyInfoRef, LineEnding, PrivateKeyInfoRef, SecretDocument};
use zeroize::Zeroizing;

const LABEL: &str = "ENCRYPTED PRIVATE KEY";
const PLAIN_LABEL: &str = "PRIVATE KEY";
/// Fewer characters are guessed by a machine that tries all of them.
pub const PASSPHRASE_CHARACTERS_LEAST: usize = 12;
/// scrypt's cost: 16 MiB, five times over, as OWASP advises. OpenSSL reads no more memory than that unless it is asked to.
const COST_LOG2: u8 = 14;
const BLOCK_SIZE: u32 = 8;
const PARALLEL: u32 = 5;

/// Whether a PEM text holds a key that is encrypted.
#[must_use]
pub fn is_encrypted(key_pem: &str) -> bool {
    key_pem.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----")
}

/// Encrypts a PKCS#8 key in PEM under a passphrase: scrypt and AES-256-CBC.
///
/// # Errors
/// [`PassphraseError`] when the passphrase is too short or the key is no PKCS#8 key.
pub fn encrypt_key(key_pem: &str, passphrase: &str) -> Result<Zeroizing<String>, PassphraseError> {
    if passphrase.chars().count() < PASSPHRASE_CHARACTERS_LEAST {
        return Err(PassphraseError::TooShort);
    }
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(PassphraseError::Randomness)?;
    let (salt, vector) = random.split_at(16);
    let unfit = |_| PassphraseError::Key;
    let (label, der) = SecretDocument::from_pem(key_pem).map_err(unfit)?;
    if label != PLAIN_LABEL {
        return Err(PassphraseError::Key);
    }
    let key = PrivateKeyInfoRef::try_from(der.as_bytes()).map_err(|_| PassphraseError::Key)?;
    let cost = scrypt::Params::new(COST_LOG2, BLOCK_SIZE, PARALLEL).map_err(|_| PassphraseError::Key)?;
    let vector = vector.try_into().map_err(|_| PassphraseError::Key)?;
    let parameters =
        Parameters::generate_scrypt_aes256cbc(cost, salt, vector).map_err(|_| PassphraseError::Key)?;
    let encrypted = key.encrypt_with_params(parameters, passphrase).map_err(|_| PassphraseError::Key)?;
    encrypted.to_pem(LABEL, LineEnding::LF).map_err(unfit)
}

/// The PKCS#8 key in PEM that [`encrypt_key`], OpenSSL or another tool encrypted.
///
/// # Errors
/// [`PassphraseError`] when the passphrase is wrong or the text is no encrypted key.
pub fn decrypt_key(key_pem: &str, passphrase: &str) -> Result<Zeroizing<String>, PassphraseError> {
    let unfit = |_| PassphraseError::NotEncrypted;
    let (label, der) = SecretDocument::from_pem(key_pem).map_err(unfit)?;
    if label != LABEL {
        return Err(PassphraseError::NotEncrypted);
    }
    let encrypted =
        EncryptedPrivateKeyInfoRef::try_from(der.as_bytes()).map_err(|_| PassphraseError::NotEncrypted)?;
    let key = encrypted.decrypt(passphrase).map_err(|_| PassphraseError::Wrong)?;
    // What a wrong passphrase leaves is no key, but for a chance in 2^8.
    let info = PrivateKeyInfoRef::try_from(key.as_bytes()).map_err(|_| PassphraseError::Wrong)?;
    info.to_der().map_err(|_| PassphraseError::Wrong)?;
    key.to_pem(PLAIN_LABEL, LineEnding::LF).map_err(|_| PassphraseError::Wrong)
}

/// Why a key was not encrypted or decrypted. It holds nothing of either.
#[derive(Debug, thiserror::Error)]
pub enum PassphraseError {
    /// A passphrase that is guessed.
    #[error(
        "a passphrase of fewer than {PASSPHRASE_CHARACTERS_LEAST} characters is soon guessed: take several words that nobody \
         else would put together"
    )]
    TooShort,
    /// Another passphrase than the key was encrypted under.
    #[error("the passphrase is not the one that the key was encrypted under")]
    Wrong,
    /// No encrypted PKCS#8 key.
    #[error("the file holds no encrypted PKCS#8 key in PEM")]
    NotEncrypted,
    /// No PKCS#8 key.
    #[error("the key is not a PKCS#8 key in PEM")]
    Key,
    /// The system gave no randomness.
    #[error("no randomness from the system: {0}")]
    Randomness(getrandom::Error),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyKind;

    #[test]
    fn a_key_is_read_back_under_its_passphrase_only() {
        for kind in KeyKind::ALL {
            let plain = kind.generate().unwrap().serialize_pem();
            let encrypted = encrypt_key(&plain, "four words that nobody says").unwrap();
            assert!(is_encrypted(&encrypted) && !is_encrypted(&plain));
            let read = decrypt_key(&encrypted, "four words that nobody says").unwrap();
            let der = |text: &str| SecretDocument::from_pem(text).unwrap().1.as_bytes().to_vec();
            assert_eq!(der(&read), der(&plain), "{kind}");
            let wrong = decrypt_key(&encrypted, "four words that nobody said").unwrap_err();
            assert!(matches!(wrong, PassphraseError::Wrong), "{wrong}");
            assert!(matches!(decrypt_key(&plain, "x").unwrap_err(), PassphraseError::NotEncrypted));
            let short = encrypt_key(&plain, "eleven char").unwrap_err();
            assert!(short.to_string().contains("fewer than 12 characters"), "{short}");
            assert!(matches!(encrypt_key(&encrypted, "twelve chars").unwrap_err(), PassphraseError::Key));
        }
    }
}

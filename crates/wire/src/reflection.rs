//! Reflection: what the services can be asked, in both versions that clients speak.

use tonic_reflection::server::{Builder, Error, v1, v1alpha};

use crate::FILE_DESCRIPTOR_SET;

/// The reflection services of version 1 and of 1alpha, over Lango's own services and health.
///
/// # Errors
/// The compiled protocol cannot be read, which a test excludes.
pub fn services() -> Result<
    (
        v1::ServerReflectionServer<impl v1::ServerReflection>,
        v1alpha::ServerReflectionServer<impl v1alpha::ServerReflection>,
    ),
    Error,
> {
    let builder = || {
        Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    Ok((builder().build_v1()?, builder().build_v1alpha()?))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_compiled_protocol_can_be_reflected() {
        assert!(super::services().is_ok());
    }
}

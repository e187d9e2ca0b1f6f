//! A server's address and the options of a connection to it.

use std::path::PathBuf;

use sqlx::{
    mysql::{MySqlConnectOptions, MySqlSslMode},
    postgres::{PgConnectOptions, PgSslMode},
};

use crate::{Password, PasswordError};

/// How a connection is protected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Tls {
    /// The server's certificate must be good and name the host; its authority is the machine's, or that of a file.
    #[default]
    System,
    /// As above, under the authorities of this PEM file.
    Authority(PathBuf),
    /// None: for a socket in the file system, or a server on the same machine.
    Off,
}

/// A database server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// `postgresql://USER@HOST:PORT/DATABASE` or `mysql://..`; without a password.
    pub address: String,
    /// Where the password stands; none where the server needs none.
    pub password: Option<Password>,
    /// How the connection is protected.
    pub tls: Tls,
}

/// Why a server cannot be connected to, before anything is sent.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address is none. It is not printed: it might hold a password after all.
    #[error("the address is not of the form {scheme}://USER@HOST:PORT/DATABASE: {why}")]
    Address {
        /// `postgresql` or `mysql`.
        scheme: &'static str,
        /// What is wrong.
        why: String,
    },
    /// There is a password in the address.
    #[error("the address holds a password: keep it in a file or in the environment, and name that")]
    PasswordInAddress,
    /// There is an option in the address that the configuration has a key for.
    #[error("the address has the option `{0}`: only its own keys say how a connection is made")]
    Option(String),
    /// The connection would leave the machine unprotected.
    #[error("`tls = \"off\"` is for a socket or for this machine: `{0}` is another one")]
    Unprotected(String),
    /// The password is not there.
    #[error(transparent)]
    Password(#[from] PasswordError),
}

impl Server {
    /// The options of a connection to a PostgreSQL server.
    pub fn postgres(&self) -> Result<PgConnectOptions, ServerError> {
        let host = self.host("postgresql")?;
        let parsed = self.address.parse::<PgConnectOptions>();
        let mut options = parsed.map_err(|error| malformed("postgresql", &error))?.application_name("lango");
        if let Some(password) = &self.password {
            options = options.password(&password.read()?);
        }
        Ok(match &self.tls {
            Tls::System => options.ssl_mode(PgSslMode::VerifyFull),
            Tls::Authority(file) => options.ssl_mode(PgSslMode::VerifyFull).ssl_root_cert(file),
            Tls::Off => options.ssl_mode(self.unprotected(host, PgSslMode::Disable)?),
        })
    }

    /// The options of a connection to a MariaDB server.
    pub fn mariadb(&self) -> Result<MySqlConnectOptions, ServerError> {
        let host = self.host("mysql")?;
        let parsed = self.address.parse::<MySqlConnectOptions>();
        let mut options = parsed.map_err(|error| malformed("mysql", &error))?;
        if let Some(password) = &self.password {
            options = options.password(&password.read()?);
        }
        Ok(match &self.tls {
            Tls::System => options.ssl_mode(MySqlSslMode::VerifyIdentity),
            Tls::Authority(file) => options.ssl_mode(MySqlSslMode::VerifyIdentity).ssl_ca(file),
            Tls::Off => options.ssl_mode(self.unprotected(host, MySqlSslMode::Disabled)?),
        })
    }

    /// Refuses an address that holds what must not stand in it; returns its host.
    fn host(&self, scheme: &'static str) -> Result<&str, ServerError> {
        let wrong = |why: &str| ServerError::Address { scheme, why: why.to_owned() };
        let rest = self.address.strip_prefix(scheme).and_then(|rest| rest.strip_prefix("://"));
        let rest = rest.ok_or_else(|| wrong("it begins otherwise"))?;
        let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
        // A socket's folder or file is the one thing that only an option can name.
        for option in options.split('&').filter(|option| !option.is_empty()) {
            let name = option.split('=').next().unwrap_or(option);
            if !["host", "socket"].contains(&name) {
                return Err(match name {
                    "password" => ServerError::PasswordInAddress,
                    _ => ServerError::Option(name.to_owned()),
                });
            }
        }
        let (authority, database) = place.split_once('/').ok_or_else(|| wrong("it names no database"))?;
        if database.is_empty() {
            return Err(wrong("it names no database"));
        }
        let (user, host) = authority.rsplit_once('@').ok_or_else(|| wrong("it names no user"))?;
        if user.contains(':') {
            return Err(ServerError::PasswordInAddress);
        }
        let mut places =
            options.split('&').filter_map(|option| option.split_once('=')).map(|(_, value)| value);
        let place = places.next().unwrap_or(host);
        if places.next().is_some() { Err(wrong("it names several places")) } else { Ok(place) }
    }

    fn unprotected<M>(&self, host: &str, mode: M) -> Result<M, ServerError> {
        // `host` is also a folder's or a file's name, written plainly or encoded.
        let socket = host.starts_with('/') || host.to_ascii_lowercase().starts_with("%2f");
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
            _ => host,
        };
        if socket || ["localhost", "127.0.0.1", "[::1]"].contains(&name) {
            return Ok(mode);
        }
        Err(ServerError::Unprotected(name.to_owned()))
    }
}

fn malformed(scheme: &'static str, error: &sqlx::Error) -> ServerError {
    ServerError::Address { scheme, why: error.to_string() }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn server(address: &str, tls: Tls) -> Server {
        Server { address: address.to_owned(), password: None, tls }
    }

    #[test]
    fn an_address_names_a_user_a_host_and_a_database_and_holds_no_secret() {
        for (address, expected) in [
            ("postgresql://lango@db.example/registers", None),
            ("postgresql://lango@db.example:5433/registers", None),
            ("postgresql://lango:secret@db.example/registers", Some("holds a password")),
            ("postgresql://lango@db.example/registers?password=secret", Some("holds a password")),
            ("postgresql://lango@db.example/registers?sslmode=disable", Some("`sslmode`")),
            ("postgresql://lango@db.example", Some("no database")),
            ("postgresql://lango@db.example/", Some("no database")),
            ("postgresql://db.example/registers", Some("no user")),
            ("postgresql://lango@localhost/r?host=/run&host=db.example", Some("several places")),
            ("mysql://lango@db.example/registers", Some("begins otherwise")),
        ] {
            let shown = server(address, Tls::System).postgres().err().map(|error| error.to_string());
            match (&shown, expected) {
                (None, None) => {}
                (Some(shown), Some(part)) => {
                    assert!(shown.contains(part) && !shown.contains("secret"), "{shown}")
                }
                _ => panic!("{address}: {shown:?}"),
            }
        }
    }

    #[test]
    fn a_connection_without_tls_stays_on_the_machine() {
        for (address, stays) in [
            ("postgresql://lango@localhost:5433/r", true),
            ("postgresql://lango@127.0.0.1/r", true),
            ("postgresql://lango@[::1]:5432/r", true),
            ("postgresql://lango@localhost/r?host=/run/postgresql", true),
            ("postgresql://lango@%2Frun%2Fpostgresql/r", true),
            ("postgresql://lango@db.example/r", false),
            ("postgresql://lango@localhost/r?host=db.example", false),
            ("postgresql://lango@localhost.example/r", false),
        ] {
            assert_eq!(server(address, Tls::Off).postgres().is_ok(), stays, "{address}");
        }
        assert!(server("mysql://lango@localhost:3306/r", Tls::Off).mariadb().is_ok());
        assert!(server("mysql://lango@db.example/r", Tls::Off).mariadb().is_err());
    }

    #[test]
    fn a_password_is_read_from_a_file_and_printed_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        lango_files::replace(&file, b"s3cret words\n").unwrap();
        assert_eq!(*Password::File(file.clone()).read().unwrap(), "s3cret words");
        let open = std::fs::Permissions::from_mode(0o640);
        std::fs::set_permissions(&file, open).unwrap();
        let refused = Password::File(file.clone()).read().unwrap_err().to_string();
        assert!(
            refused.contains("mode 0640") && refused.contains("chmod 600") && !refused.contains("s3cret"),
            "{refused}"
        );
        lango_files::replace(&file, &[0xff]).unwrap();
        assert!(matches!(Password::File(file.clone()).read(), Err(PasswordError::NotText(_))));
        lango_files::replace(&file, b"\n").unwrap();
        assert!(matches!(Password::File(file.clone()).read(), Err(PasswordError::Empty)));
        std::fs::remove_file(&file).unwrap();
        assert!(matches!(Password::File(file).read(), Err(PasswordError::File(_))));
        assert!(matches!(
            Password::Environment("LANGO_NO_SUCH_VARIABLE".into()).read(),
            Err(PasswordError::Environment(_))
        ));
    }
}

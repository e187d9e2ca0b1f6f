//! A drop-in for systemd, by which the shipped unit runs a server on a folder of its own.

use std::path::Path;

use lango_files::shell_quoted;

use super::folder::{NextStep, step};
use crate::failure::Failure;

/// A drop-in, and how it is put in place.
pub struct DropIn {
    /// Where it is in the folder.
    pub name: String,
    pub text: String,
    /// What to do with it.
    pub step: NextStep,
}

/// The drop-in of `lango-SERVER.service` for a folder. The service runs as the user who makes the folder, so that nobody else
/// has to be let in; root's runs as `lango`.
pub fn drop_in(server: &str, dir: &Path) -> Result<DropIn, Failure> {
    let folder = std::path::absolute(dir).map_err(|error| Failure::of(dir.display(), error))?;
    let own = lango_files::own_user();
    let user = if own == 0 { "lango".to_owned() } else { own.to_string() };
    let service = format!("lango-{server}.service");
    let name = format!("{service}.d/folder.conf");
    let text = text(server, &folder, &user);
    let mut commands = vec![
        format!("install -D -m 0644 {} /etc/systemd/system/{name}", shell_quoted(&folder.join(&name))),
        format!("systemctl daemon-reload && systemctl enable --now lango-{server}"),
    ];
    if own == 0 {
        commands.insert(0, format!("chown -R lango: {}", shell_quoted(&folder)));
    }
    let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
    let words = format!(
        "Or have systemd run it, as root, where the units of deploy/systemd are installed{}:",
        hidden(&folder)
    );
    let step = step(&words, &commands);
    Ok(DropIn { name, text, step })
}

/// What stands against the folder's place: the units see no homes, and have temporary folders of their own.
fn hidden(folder: &Path) -> &'static str {
    let tops = ["/home", "/root", "/run/user", "/tmp", "/var/tmp"];
    match tops.iter().any(|top| folder.starts_with(top)) {
        true => " (they see neither homes nor /tmp: make the folder elsewhere, in /srv say, with --dir)",
        false => "",
    }
}

fn text(server: &str, folder: &Path, user: &str) -> String {
    let configuration = folder.join(format!("{server}.toml"));
    format!(
        "# For /etc/systemd/system/lango-{server}.service.d: the service runs on this folder, as the user whose it is.\n\
         [Service]\nUser={user}\nDynamicUser=no\nGroup=\nExecStart=\n\
         ExecStart=/usr/bin/lango {server} --config {}\n\
         # The keys lie in the folder, and nothing is kept elsewhere.\n\
         LoadCredential=\nStateDirectory=\nConfigurationDirectory=\nReadWritePaths={}\n",
        unit_quoted(&configuration).replace('$', "$$"),
        unit_quoted(folder)
    )
}

/// A path as a unit names it.
fn unit_quoted(path: &Path) -> String {
    let path = path.display().to_string();
    format!("\"{}\"", path.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_whatever_is_in_it() {
        let text = text("gateway", Path::new("/srv/a \"b\" 5%$x"), "1000");
        for line in [
            "ExecStart=",
            r#"ExecStart=/usr/bin/lango gateway --config "/srv/a \"b\" 5%%$$x/gateway.toml""#,
            r#"ReadWritePaths="/srv/a \"b\" 5%%$x""#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
    }
}

//! Modes, as the system sees them.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use crate::{
    FileError, NotRegular, create, exchange, exposure, make_filled_folder, make_folder, make_or_open,
    may_fill, move_over, open, own_user, read, read_secret, replace,
};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_is_made_is_its_owners_alone_whatever_was_there() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("a/b");
    make_folder(&folder).unwrap();
    assert_eq!((mode(&folder), mode(&dir.path().join("a"))), (0o700, 0o700));
    let file = folder.join("key");
    fs::write(&file, "old and open to all").unwrap();
    set(&file, 0o666);
    replace(&file, b"new").unwrap();
    assert_eq!((mode(&file), read(&file).unwrap().as_slice()), (0o600, &b"new"[..]));
    let made = folder.join("register");
    drop(make_or_open(&made).unwrap());
    assert_eq!(mode(&made), 0o600);
    // One that is there is opened as it stands.
    set(&made, 0o640);
    fs::write(&made, "rows").unwrap();
    drop(make_or_open(&made).unwrap());
    assert_eq!((mode(&made), read(&made).unwrap().as_slice()), (0o640, &b"rows"[..]));
}

#[test]
fn a_new_file_is_whole_and_takes_no_others_place() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tls.key");
    create(&file, b"first").unwrap();
    assert_eq!((mode(&file), read(&file).unwrap().as_slice()), (0o600, &b"first"[..]));
    let names = || fs::read_dir(dir.path()).unwrap().count();
    // A link that leads nowhere is something too.
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(dir.path().join("elsewhere"), &link).unwrap();
    for taken in [&file, &link] {
        let error = create(taken, b"second").unwrap_err();
        assert!(matches!(&error, FileError::Exists(path) if path == taken), "{error}");
        assert!(error.to_string().contains("nothing is overwritten") && error.command().is_none(), "{error}");
    }
    assert_eq!((read(&file).unwrap().as_slice(), names()), (&b"first"[..], 2));
    // What a process that was killed left behind is in nobody's way.
    let next = dir.path().join("next");
    fs::write(dir.path().join(format!(".next.{}.unfinished", std::process::id())), "half").unwrap();
    create(&next, b"second").unwrap();
    move_over(&next, &file).unwrap();
    assert_eq!((read(&file).unwrap().as_slice(), names()), (&b"second"[..], 2));
    exchange(&file, b"third").unwrap();
    assert_eq!((read(&file).unwrap().as_slice(), names()), (&b"third"[..], 2));
    let nowhere = dir.path().join("no/folder");
    assert!(matches!(exchange(&nowhere, b"").unwrap_err(), FileError::System { .. }));
    assert!(matches!(create(&nowhere, b"").unwrap_err(), FileError::System { .. }));
}

#[test]
fn what_a_process_that_is_no_more_left_unfinished_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = std::process::Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    let left = |process: u32| dir.path().join(format!(".authority.{process}.unfinished"));
    let (dead, alive) = (left(child.id()), left(1));
    for folder in [&dead, &alive] {
        fs::create_dir(folder).unwrap();
        fs::write(folder.join("authority.key"), "key").unwrap();
    }
    let other = dir.path().join(".authority.x.unfinished");
    fs::write(&other, "not ours").unwrap();
    make_filled_folder(&dir.path().join("authority"), &[("authority.key", b"key")]).unwrap();
    assert!(!dead.exists() && alive.exists() && other.exists());
}

#[test]
fn a_folder_has_all_of_its_files_or_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("a/identity/");
    let files: [(&str, &[u8]); 2] = [("tls.key", b"key"), ("request.toml", b"request")];
    make_filled_folder(&folder, &files).unwrap();
    assert_eq!((mode(&folder), mode(&folder.join("tls.key"))), (0o700, 0o600));
    let again = make_filled_folder(&folder, &[("tls.key", b"another")]).unwrap_err();
    assert!(matches!(again, FileError::Exists(_)), "{again}");
    assert_eq!(read(&folder.join("tls.key")).unwrap().as_slice(), b"key");
    let nested = dir.path().join("nested");
    make_filled_folder(&nested, &[("office.toml", b""), ("identity/tls.key", b"key")]).unwrap();
    assert_eq!((mode(&nested.join("identity")), mode(&nested.join("identity/tls.key"))), (0o700, 0o600));
    let empty = dir.path().join("empty");
    fs::create_dir(&empty).unwrap();
    make_filled_folder(&empty, &files).unwrap();
    // A file that cannot be written, after one that can.
    let half = dir.path().join("half");
    let error = make_filled_folder(&half, &[("tls.key", b"key"), ("tls.key/file", b"")]).unwrap_err();
    assert!(matches!(error, FileError::System { .. }) && !half.exists(), "{error}");
    let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "{left:?}");
}

#[test]
fn a_secret_that_others_may_read_is_refused_with_the_command_that_cures_it() {
    let dir = tempfile::tempdir().unwrap();
    for (name, mode, exposed) in [
        ("a.key", 0o600, false),
        ("b.key", 0o400, false),
        ("c.key", 0o640, true),
        ("d.key", 0o604, true),
        ("e.key", 0o620, true),
        ("f.key", 0o611, true),
        ("a b's.key", 0o644, true),
    ] {
        let file = dir.path().join(name);
        fs::write(&file, "secret").unwrap();
        set(&file, mode);
        assert_eq!(exposure(&file).is_some(), exposed, "{name}");
        let error = match (read_secret(&file), exposed) {
            (Ok(bytes), false) => {
                assert_eq!(bytes.as_slice(), b"secret");
                continue;
            }
            (Err(error @ FileError::Exposed(_)), true) => error,
            (other, _) => panic!("{name}: {other:?}"),
        };
        let said = error.to_string();
        assert!(said.contains(&format!("(mode {mode:04o})")) && !said.contains("secret"), "{said}");
        // The command is run as it is printed.
        let command = error.command().unwrap();
        assert!(said.contains(&command), "{said}");
        assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success(), "{command}");
        assert_eq!(read_secret(&file).unwrap().as_slice(), b"secret", "{command}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let absent = tempfile::tempdir().unwrap().path().join("absent");
    for error in [read(&absent).unwrap_err(), read_secret(&absent).unwrap_err()] {
        assert!(error.to_string().contains("absent`: ") && error.command().is_none(), "{error}");
    }
    assert_eq!(exposure(&absent), None);
}

/// Run in a process of its own by the test below: an environment is of the whole process.
#[test]
#[ignore = "the child of `a_credential_of_the_service_manager_has_the_mode_that_it_was_given`"]
fn child_reads_credentials() {
    let folder = std::env::var("LANGO_TEST_FOLDER").unwrap();
    let read = |name: &str| read_secret(&Path::new(&folder).join(name)).is_ok();
    assert_eq!((read("credentials/tls.key"), read("tls.key"), read("link.key")), (true, false, true));
}

#[test]
fn a_credential_of_the_service_manager_has_the_mode_that_it_was_given() {
    let dir = tempfile::tempdir().unwrap();
    let credentials = dir.path().join("credentials");
    fs::create_dir(&credentials).unwrap();
    for file in [credentials.join("tls.key"), dir.path().join("tls.key")] {
        fs::write(&file, "secret").unwrap();
        set(&file, 0o440);
    }
    std::os::unix::fs::symlink(credentials.join("tls.key"), dir.path().join("link.key")).unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "tests::child_reads_credentials"])
        .env("CREDENTIALS_DIRECTORY", &credentials)
        .env("LANGO_TEST_FOLDER", dir.path())
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
}

#[test]
fn a_folder_in_which_nothing_can_be_made_is_found_without_making_anything() {
    let dir = tempfile::tempdir().unwrap();
    may_fill(dir.path()).unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    for none in [dir.path().join("nowhere"), file] {
        let error = may_fill(&none).unwrap_err();
        assert!(error.to_string().contains(&none.display().to_string()), "{error}");
    }
    // The system lets root write where nobody else may.
    set(dir.path(), 0o500);
    assert_eq!(may_fill(dir.path()).is_ok(), own_user() == 0);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    set(dir.path(), 0o700);
}

#[test]
fn nothing_but_a_file_is_opened_and_no_pipe_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let (pipe, file, link) = (dir.path().join("pipe"), dir.path().join("file"), dir.path().join("link"));
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    fs::write(&file, "text").unwrap();
    std::os::unix::fs::symlink(&pipe, &link).unwrap();
    assert!(open(&file).is_ok());
    for other in [&pipe, &link, dir.path(), Path::new("/dev/zero")] {
        let error = open(other).unwrap_err();
        assert!(NotRegular::is_cause(&error), "{error}");
        let said = read(other).unwrap_err().to_string();
        assert!(said.ends_with("is not a file: a folder, a pipe or a device is not read"), "{said}");
    }
    let error = open(&dir.path().join("none")).unwrap_err();
    assert!(error.kind() == std::io::ErrorKind::NotFound && !NotRegular::is_cause(&error), "{error}");
}

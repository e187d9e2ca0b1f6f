//! Serial numbers that begin again in another file or stretch and leave many numbers out, and panels, which they are not.

use super::fixture::{HEADER, Office, dataset};

/// A number as if it were drawn, the same for the same seed.
fn drawn(seed: u64, below: u64) -> u64 {
    let mixed = (seed ^ 0x9e37_79b9).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((mixed ^ mixed >> 29).wrapping_mul(0x94d0_49bb_1331_11eb) >> 33) % below
}

/// Serial numbers from 1 on, each as many as one of these steps behind the one before it.
fn serials(seed: u64, steps: &[u64], count: u64) -> Vec<u64> {
    let step = |n: u64| steps[drawn(seed * 10_000 + n, steps.len() as u64) as usize];
    let next = |last: &mut u64, n: u64| {
        *last += step(n);
        Some(*last)
    };
    (0..count).scan(0, next).collect()
}

/// A row of a person, of whom the sex, the day of birth and the village are always the same.
fn row(unit: u64, person: u64, visit: u64) -> String {
    let sex = ["F", "M"][drawn(person, 2) as usize];
    let (born, village) = (1940 + drawn(person + 1_000_000, 60), drawn(person + 2_000_000, 8));
    format!("{unit},{sex},{},{}.25,{born}-01-01,V{village}\n", visit % 90, drawn(visit, 5_000))
}

/// The rows of a file: one to three persons under each number.
fn file(units: &[u64], person: impl Fn(u64, u64) -> u64, wave: u64) -> String {
    let rows = |unit: &u64| {
        let unit = *unit;
        let persons = 1 + drawn(person(unit, 0) + 7, 3);
        let row_of = |n| row(unit, person(unit, n), wave * 1_000_000 + unit * 10 + n);
        (0..persons).map(row_of).collect::<String>()
    };
    units.iter().map(rows).collect()
}

/// A case: the rows of some files, and whether numbers begin again in them, in several files and in one.
fn check(what: &str, waves: &[String], begins_again: bool) {
    let mut office = Office::new();
    office.dataset = dataset(12);
    let write = |(n, rows): (usize, &String)| office.write(&format!("{n}.csv"), format!("{HEADER}{rows}"));
    let files: Vec<_> = waves.iter().enumerate().map(write).collect();
    let all = office.write("all.csv", format!("{HEADER}{}", waves.concat()));
    for done in [office.import_all(&files), office.import(&all)] {
        let said = done.map_or_else(|error| error.to_string(), |_| String::new());
        assert_eq!(said.contains(" begin to count identifiers anew"), begins_again, "{what}: {said}");
        assert!(begins_again || said.is_empty(), "{what}: {said}");
    }
}

/// The persons of a number in a file of its own.
fn of_wave(wave: u64) -> impl Fn(u64, u64) -> u64 {
    move |unit, n| wave * 500_000 + unit * 10 + n
}

fn of_all(unit: u64, n: u64) -> u64 {
    unit * 10 + n
}

#[test]
fn serial_numbers_that_leave_many_out_begin_again() {
    for (what, steps) in [
        ("a third", &[1, 1, 2][..]),
        ("half", &[1, 2]),
        ("more", &[1, 1, 1, 2, 3]),
        ("most", &[1, 5, 9]),
        ("nearly all", &[3, 17, 40]),
        ("steps of ten", &[10, 10, 20]),
    ] {
        let waves = [1, 2, 3].map(|wave| file(&serials(wave, steps, 700), of_wave(wave), wave));
        check(what, &waves[..2], true);
        check(what, &waves, true);
    }
    // In files in no order.
    let shuffled = [1, 2].map(|wave| {
        let mut units = serials(wave, &[1, 2], 700);
        units.sort_by_key(|unit| drawn(*unit + wave * 77, 1_000_000));
        file(&units, of_wave(wave), wave)
    });
    let mut office = Office::new();
    office.dataset = dataset(12);
    let files = [0, 1].map(|n| office.write(&format!("{n}.csv"), format!("{HEADER}{}", shuffled[n])));
    let said = office.import_all(&files).unwrap_err().to_string();
    assert!(said.contains("1 of ") && said.contains(" rows begin to count identifiers anew"), "{said}");
}

#[test]
fn a_panel_whose_numbers_leave_many_out_is_none() {
    for steps in [&[1, 2][..], &[1, 1, 1, 2, 3], &[3, 17, 40], &[10, 10, 20], &[1_000, 70_001, 90_000_007]] {
        let units = serials(1, steps, 700);
        let left = |wave: u64| -> Vec<u64> {
            units.iter().copied().filter(|unit| drawn(unit * 10 + wave, 4) > 0).collect()
        };
        // All in each wave, and three of four; each person on its row, or households in another order of their members.
        check("whole", &[1, 2].map(|wave| file(&units, of_all, wave)), false);
        check("part", &[1, 2, 3].map(|wave| file(&left(wave), of_all, wave)), false);
    }
    // Persons whose numbers are drawn, of whom some move to another file.
    let mut units: Vec<u64> = (0..900).map(|n| 100_000 + drawn(n, 900_000)).collect();
    units.sort_unstable();
    units.dedup();
    let (one, other) = (&units[..500], &units[450..]);
    check("drawn", &[file(one, of_all, 1), file(other, of_all, 2)], false);
    check("drawn in one order", &[file(&units[..20], of_all, 1), file(&units, of_all, 2)], false);
}

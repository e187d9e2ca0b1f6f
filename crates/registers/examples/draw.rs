//! Draws all fifteen registers into a folder and prints how long it took: `draw FOLDER SCALE [SEED]`.

use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;
use std::{env, fs};

use lango_registers::{Draw, DrawError, OFFICES, Summary, write_register};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().ok_or("usage: draw FOLDER SCALE [SEED]")?;
    let scale = arguments.next().ok_or("usage: draw FOLDER SCALE [SEED]")?.parse()?;
    let seed = arguments.next().map_or(Ok(1), |seed| seed.parse())?;
    fs::create_dir_all(&folder)?;
    let begin = Instant::now();
    let mut rows = 0;
    for office in OFFICES {
        let summary = draw(Path::new(&folder), office, &Draw { scale, seed })?;
        rows += summary.persons + summary.movements;
        println!("{office} {summary:?} {:?}", begin.elapsed());
    }
    println!("{rows} rows, {:.0} rows a second", rows as f64 / begin.elapsed().as_secs_f64());
    Ok(())
}

fn draw(folder: &Path, office: &str, draw: &Draw) -> Result<Summary, DrawError> {
    write_register(&folder.join(format!("{office}.sqlite")), office, draw, &|_| ControlFlow::Continue(()))
}

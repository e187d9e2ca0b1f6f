//! Which persons would an office hold? Draws the demo's registers from published figures.
//!
//! The United Nations publish how many migrants live in a country, by origin and sex. From these margins this crate
//! draws registers of persons who do not exist, so that Lango can be tried on figures of real size and shape. What is
//! published and what is only modelled stands in [`ABOUT`], and in each register's table `about`.
//!
//! Architecture invariant: this crate knows no other crate of the workspace, and its random numbers are for
//! invented persons only. The noise that protects answers comes from elsewhere.

mod about;
mod error;
mod movement;
mod permutation;
mod person;
mod register;
mod rows;
mod sampler;
mod tables;
mod target;
mod truth;

pub use about::{ABOUT, COLUMNS, SOURCES};
pub use error::DrawError;
pub use register::{PARTIAL_SUFFIX, write_register};
pub use rows::Summary;
pub use tables::{
    MigrantDefinition, OFFICES, OTHERS, Population, Published, Sex, country_name, migrant_definition,
    population, published,
};
pub use target::{Draw, SCALE_MAX, targets};
pub use truth::truth;

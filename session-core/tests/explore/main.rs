//! The real layer, sessions and near caches of two instances, under every order in which their requests can meet.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod action;
mod decision;
mod explore;
mod gate;
mod history;
mod instance;
mod jar;
mod lines;
mod options;
mod pairs;
mod plant;
mod plants;
mod promises;
mod random;
mod request;
mod scenario;
mod schedule;
mod start;
mod triples;
mod world;

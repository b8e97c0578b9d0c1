//! tower-sessions under our layer, and our stores under its layer.

mod adapter;
mod axum_login;
mod browser;
mod probe;
mod view;
mod view_end;

//! Every page and address of the service, asked over HTTP: what is shown, refused, paged and never run.

mod api;
mod pages;
mod watched;
mod world;

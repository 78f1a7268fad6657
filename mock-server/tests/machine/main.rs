//! One world of the machine, played without sockets and clocks: frames and requests in, frames and answers out.

mod arbitrary;
mod attachments;
mod blocking;
mod contacts;
mod devices;
mod dismissal;
mod faults;
mod groups;
mod limits;
mod login;
mod membership;
mod muc_files;
mod muc_news;
mod muc_roles;
mod muc_routes;
mod paging;
mod policy;
mod pulling;
mod recall;
mod receipts;
mod rest;
mod sending;
mod tokens;
mod users;
mod webhooks;
mod world;

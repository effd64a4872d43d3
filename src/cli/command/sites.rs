//! `sites`, `saturation`: the emergency sites as they stand, and what a site says of its own load.

use clap::Args;

use super::show;
use crate::cli::connection::{ServerArguments, WriteArguments, client};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::human;
use crate::cli::render::{Layout, sites as render};
use crate::cli::terminal::Terminal;
use crate::clock::{Clock as _, SystemClock};
use crate::proto::routing as pb;

/// Sites asked for at once.
const PAGE_SIZE: u32 = 1_000;
/// Most pages, so that a server that never ends its list cannot hold a command for ever.
const PAGES_MAX: usize = 100;

/// Arguments of `sites`.
#[derive(Debug, Args)]
pub struct SitesArguments {
    /// Only those of a department
    #[arg(long, value_name = "CODE", value_parser = human::parse_department)]
    pub department: Option<String>,
    /// Where the service is.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// Arguments of `saturation`.
#[derive(Debug, Args)]
pub struct SaturationArguments {
    /// The emergency site, as `sites` shows it
    pub site: String,
    /// How long it is saturated from now on, for instance 2H or 90 (minutes), at most 24H; it ends by itself
    #[arg(long = "for", value_name = "DURATION", value_parser = human::parse_delay, allow_negative_numbers = true)]
    pub duration: Option<u32>,
    /// End the saturation now
    #[arg(long, conflicts_with = "duration", required_unless_present = "duration")]
    pub end: bool,
    /// The write.
    #[command(flatten)]
    pub write: WriteArguments,
    /// Where the service is.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// Lists the emergency sites.
///
/// # Errors
/// When the service cannot be reached.
pub async fn sites(arguments: &SitesArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut client = client!(directory_service_client::DirectoryServiceClient, arguments.server.connect().await?);
    let mut response = pb::ListEmergencySitesResponse::default();
    let mut page_token = String::new();
    for _ in 0..PAGES_MAX {
        let request = pb::ListEmergencySitesRequest { page_size: PAGE_SIZE, page_token };
        let page = client.list_emergency_sites(request).await?.into_inner();
        response.emergency_sites.extend(page.emergency_sites);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    if let Some(department) = &arguments.department {
        response.emergency_sites.retain(|site| site.department == *department);
    }
    response.next_page_token = page_token;
    let layout = Layout::new(terminal.width()).at(SystemClock.now());
    show(terminal, arguments.server.output, "ListEmergencySitesResponse", &response, || {
        render::sites(&response.emergency_sites, &layout)
    })?;
    Ok(Exit::Success)
}

/// Says that a site is saturated, or that it no longer is.
///
/// # Errors
/// When the service cannot be reached, does not know the site, or refuses the duration.
pub async fn saturation(arguments: &SaturationArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut client = client!(directory_service_client::DirectoryServiceClient, arguments.server.connect().await?);
    let (request_id, emergency_site_id) = (arguments.write.announced(terminal), arguments.site.clone());
    let layout = Layout::new(terminal.width()).at(SystemClock.now());
    let table = |site: &Option<pb::EmergencySite>| render::sites(site.as_slice(), &layout);
    let output = arguments.server.output;
    if let Some(minutes) = arguments.duration {
        let end = Some(pb::set_saturation_request::End::ForMinutes(minutes));
        let request = pb::SetSaturationRequest { request_id, emergency_site_id, end };
        let response = client.set_saturation(request).await?.into_inner();
        show(terminal, output, "SetSaturationResponse", &response, || table(&response.emergency_site))?;
    } else {
        let request = pb::EndSaturationRequest { request_id, emergency_site_id };
        let response = client.end_saturation(request).await?.into_inner();
        show(terminal, output, "EndSaturationResponse", &response, || table(&response.emergency_site))?;
    }
    Ok(Exit::Success)
}

//! What every provider has to promise.

use std::sync::Arc;

use edupro_core::{
    ManualClock,
    conformance::video,
    files::{FileStore, LinkSigner},
    video::LocalVideo,
};

use crate::support::{Rig, start_of_time};

#[tokio::test]
async fn vdocipher_keeps_all_promises() {
    // The suite does not try a slow double.
    let rig = Rig::with(|options| options.timeout = std::time::Duration::from_secs(5)).await;
    rig.ready_after_polls(2).await;
    video::all(&rig.host, &rig.files, &*rig.clock).await;
    if let Some(fake) = rig.ours() {
        assert_eq!(fake.videos().len(), 0, "{:?}", fake.videos());
    }
}

#[tokio::test]
async fn the_schools_own_store_keeps_all_promises() {
    let files = FileStore::in_memory().unwrap();
    let local = LocalVideo::new(files.clone(), LinkSigner::new(&[7; 32]));
    let clock = Arc::new(ManualClock::new(start_of_time()));
    video::all(&local, &files, &*clock).await;
}

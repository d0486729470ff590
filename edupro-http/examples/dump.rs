fn main() {
    println!("{}", serde_json::to_string_pretty(&edupro_http::openapi::document("")).unwrap());
}

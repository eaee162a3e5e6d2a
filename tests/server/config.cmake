emsdb_test(config_test
  config_report_test.cc
  config_secrets_test.cc
  config_test.cc
  database_url_test.cc
  deploy_files_test.cc
  env_example_test.cc
  listen_address_test.cc
  token_digest_test.cc
  tokens_file_test.cc
  LIBRARIES emsdb::config)
target_compile_definitions(config_test PRIVATE EMSDB_SOURCE_DIR="${PROJECT_SOURCE_DIR}")

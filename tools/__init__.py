"""What Berth does, without any agent: values, rules, capabilities, clients and the pipeline that joins them."""

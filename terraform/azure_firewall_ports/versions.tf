terraform {
  required_version = ">= 1.6"

  required_providers {
    azapi = {
      source  = "Azure/azapi"
      version = "~> 2.12.0"
    }
  }
}

# The subscription, the tenant and the login come from ARM_SUBSCRIPTION_ID, ARM_TENANT_ID, ARM_CLIENT_ID and ARM_CLIENT_SECRET, and for
# another cloud than the public one from ARM_ENVIRONMENT and what goes with it.
provider "azapi" {
  # What a module needs of an answer it names itself; nothing else of it belongs in a state.
  disable_default_output = true
}

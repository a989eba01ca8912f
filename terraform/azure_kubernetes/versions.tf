terraform {
  required_version = ">= 1.6"

  required_providers {
    azapi = {
      source  = "Azure/azapi"
      version = "~> 2.12.0"
    }
  }
}

# Subscription, tenant and login come from the ARM_* variables, the authority to trust from SSL_CERT_FILE.
provider "azapi" {
  # What a module needs of an answer it names itself; nothing else of it belongs in a state.
  disable_default_output = true
}

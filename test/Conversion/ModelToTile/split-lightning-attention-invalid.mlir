// RUN: %mmc-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(model.program(mmc-split-lightning-attention))'
// Members of the family without a kernel are refused by name.

#tokens = #model.rows<tokens>

model.program @delta {
  model.func @layer(%q: tensor<?x2x16xf32, #tokens>, %batch: !model.batch, %rate: tensor<2xf32>, %s0: tensor<2x16x16xf32, #model.state>)
      -> (tensor<?x2x16xf32, #tokens>, tensor<2x16x16xf32, #model.state>) {
    %o, %s1 = model.dispatch -> tensor<?x2x16xf32, #tokens>, tensor<2x16x16xf32, #model.state> {
      // expected-error @+1 {{with update = delta has no kernel yet; supported: additive}}
      %y, %s = model.linear_attention delta, head %q, %q, %q, %batch rate %rate state %s0
          : (tensor<?x2x16xf32, #tokens>, tensor<?x2x16xf32, #tokens>, tensor<?x2x16xf32, #tokens>, !model.batch, tensor<2xf32>, tensor<2x16x16xf32, #model.state>)
          -> (tensor<?x2x16xf32, #tokens>, tensor<2x16x16xf32, #model.state>)
      model.yield %y, %s : tensor<?x2x16xf32, #tokens>, tensor<2x16x16xf32, #model.state>
    }
    model.return %o, %s1 : tensor<?x2x16xf32, #tokens>, tensor<2x16x16xf32, #model.state>
  }
}

// -----

#tokens = #model.rows<tokens>

model.program @per_channel {
  model.func @layer(%q: tensor<?x2x16xf32, #tokens>, %batch: !model.batch, %rate: tensor<?x2x16xf32, #tokens>, %s0: tensor<2x16x16xf32, #model.state>)
      -> (tensor<?x2x16xf32, #tokens>, tensor<2x16x16xf32, #model.state>) {
    %o, %s1 = model.dispatch -> tensor<?x2x16xf32, #tokens>, tensor<2x16x16xf32, #model.state> {
      // expected-error @+1 {{with decay = channel has no kernel yet; supported: none, head}}
      %y, %s = model.linear_attention additive, channel %q, %q, %q, %batch rate %rate state %s0
          : (tensor<?x2x16xf32, #tokens>, tensor<?x2x16xf32, #tokens>, tensor<?x2x16xf32, #tokens>, !model.batch, tensor<?x2x16xf32, #tokens>, tensor<2x16x16xf32, #model.state>)
          -> (tensor<?x2x16xf32, #tokens>, tensor<2x16x16xf32, #model.state>)
      model.yield %y, %s : tensor<?x2x16xf32, #tokens>, tensor<2x16x16xf32, #model.state>
    }
    model.return %o, %s1 : tensor<?x2x16xf32, #tokens>, tensor<2x16x16xf32, #model.state>
  }
}

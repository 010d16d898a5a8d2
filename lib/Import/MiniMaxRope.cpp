// The rotary embedding: rope_theta, rotary_dim and partial_rotary_factor, at the top of the file or inside
// rope_parameters and rope_scaling (one key in two versions of the native class), where a table by kind of layer may
// come between. Only the type "default" changes nothing but the base frequency, so every other type is refused, and so
// is every parameter of another type where none is given.
#include "lib/Import/MiniMaxConfig.h"

using namespace mmc::import;

namespace {

/// What the objects of a file say; lightning layers rotate nothing, so nothing is kept of theirs.
struct RopeFields {
  std::vector<Spelling<double>> theta, partial;
};

double readTheta(ConfigReader &reader) {
  double theta = reader.positive("rope_theta");
  if (theta < 1)
    reader.refuse(kConfigValue, "rope_theta",
                  "is " + reader.find("rope_theta")->text() + ", expected at least 1: the base of falling frequencies");
  return theta;
}

/// Reads rope_parameters or rope_scaling, or (`inner`) the entry of one kind of layer in it.
void readRopeObject(ConfigReader &outer, const char *key, bool inner, RopeFields &fields) {
  const JsonValue *object = outer.find(key);
  if (!object) return;
  if (object->kind != JsonValue::Kind::object)
    return outer.refuse(kConfigValue, key, "is " + object->text() + ", expected an object");
  ConfigReader reader(*object, outer, key);
  for (const char *name : {"rope_type", "type"})
    if (const JsonValue *type = reader.find(name); type && type->text() != "\"default\"")
      reader.refuse(kConfigUnsupported, name, "is " + type->text() + ", which is not supported; expected \"default\"");
  if (reader.has("rope_theta")) fields.theta.push_back({reader.name("rope_theta"), readTheta(reader)});
  if (reader.has("partial_rotary_factor"))
    fields.partial.push_back({reader.name("partial_rotary_factor"), reader.positive("partial_rotary_factor")});
  if (reader.has("factor") && reader.positive("factor") != 1)
    reader.refuse(kConfigUnsupported, "factor",
                  "is " + reader.find("factor")->text() + ": scaled positions are not supported; expected 1");
  if (!inner) {
    RopeFields unused;
    readRopeObject(reader, "full_attention", true, fields);
    readRopeObject(reader, "linear_attention", true, unused);
  }
  reader.refuseUnread();
  outer.take(reader);
}

void readBase(ConfigReader &reader, const RopeFields &fields, ModelConfig &config) {
  std::vector<Spelling<double>> theta = fields.theta;
  if (reader.has("rope_theta")) {
    double top = readTheta(reader);
    // NOTE: The native class looks at the top of the file only where its rope_parameters have no rope_theta. Published
    // files of that dialect carry a stale copy there (specification 1.2), so it does not count, but is not passed over
    // in silence. In the original dialect nobody says which of two values is meant.
    if (!config.native || theta.empty() || theta[0].value == top)
      theta.push_back({reader.name("rope_theta"), top});
    else
      config.warnings.push_back(reader.where() +
                                ": field 'rope_theta' is not used: a model of type \"minimax\" takes '" +
                                theta[0].field + "', which differs");
  }
  if (theta.empty() && !config.native) return reader.refuse(kConfigMissing, "rope_theta", "is missing");
  config.ropeTheta = agreed(reader, theta, 1e6);
}

} // namespace

void mmc::import::readRope(ConfigReader &reader, ModelConfig &config) {
  RopeFields fields;
  readRopeObject(reader, "rope_parameters", false, fields);
  readRopeObject(reader, "rope_scaling", false, fields);
  if (!reader.ok()) return;
  readBase(reader, fields, config);
  if (reader.has("partial_rotary_factor"))
    fields.partial.push_back({reader.name("partial_rotary_factor"), reader.positive("partial_rotary_factor")});
  double partial = agreed(reader, fields.partial, 1.0);
  if (!reader.has("rotary_dim") && fields.partial.empty() && !config.native)
    return reader.refuse(kConfigMissing, "rotary_dim", "is missing");
  if (partial > 1) return reader.refuse(kConfigValue, fields.partial[0].field, "is above 1");
  int64_t fromFactor = int64_t(partial * double(config.headDim) + 0.5);
  config.rotaryDim = reader.integer("rotary_dim", 2, config.headDim, fromFactor);
  if (!fields.partial.empty() && config.rotaryDim != fromFactor)
    reader.refuse(kConfigValue, "rotary_dim", "contradicts field '" + fields.partial[0].field + "'");
  if (config.rotaryDim < 2 || config.rotaryDim > config.headDim || config.rotaryDim % 2)
    reader.refuse(kConfigValue, "rotary_dim",
                  "is " + std::to_string(config.rotaryDim) + ", expected an even number between 2 and head_dim " +
                      std::to_string(config.headDim));
  // NOTE: rotary_dim is a key of the original dialect. The native class does not read it and rotates the whole head,
  // which is not what a checkpoint with this key was trained with: it is honoured, with a warning (specification 1.2
  // and 7.1).
  if (config.native && fields.partial.empty() && reader.has("rotary_dim") && config.rotaryDim != config.headDim)
    config.warnings.push_back(reader.where() + ": field 'rotary_dim' " + std::to_string(config.rotaryDim) +
                              " is honoured, though the library's class of type \"minimax\" rotates all " +
                              std::to_string(config.headDim) + " channels of a head");
}

/* What ui/json.c asks of json-glib, in small: for RXTX_STATIC, see libraries.cmake. The text is written at once; a
 * comma is due before whatever does not follow an opening bracket or a name. Every byte is as json-glib writes it.
 */
#pragma once

#include <glib.h>
#include <string.h>

typedef struct JsonBuilder {
    GString *text;
} JsonBuilder;

typedef struct JsonNode {
    char *text;
} JsonNode;

typedef struct JsonGenerator {
    const JsonNode *root; /* borrowed */
} JsonGenerator;

static inline JsonBuilder *json_builder_new(void)
{
    JsonBuilder *json = g_new(JsonBuilder, 1);

    json->text = g_string_new(NULL);
    return json;
}

static inline void json_builder_free(JsonBuilder *json)
{
    g_string_free(json->text, TRUE);
    g_free(json);
}

static inline void json_builder_add(JsonBuilder *json, const char *text)
{
    if (json->text->len > 0 && strchr("{[:", json->text->str[json->text->len - 1]) == NULL)
        g_string_append_c(json->text, ',');
    g_string_append(json->text, text);
}

/* RFC 8259, section 7. The short names are those that json-glib uses (json_strescape in json-generator.c). */
static inline void json_builder_add_string_value(JsonBuilder *json, const char *value)
{
    static const char escaped[] = "\\\"\b\f\n\r\t", names[] = "\\\"bfnrt";

    json_builder_add(json, "\"");
    for (const char *c = value; *c != '\0'; c++) {
        const char *found = strchr(escaped, *c);

        if (found != NULL)
            g_string_append_printf(json->text, "\\%c", names[found - escaped]);
        else if ((guchar)*c < 0x20 || *c == 0x7f)
            g_string_append_printf(json->text, "\\u%04x", (guint)*c);
        else
            g_string_append_c(json->text, *c);
    }
    g_string_append_c(json->text, '"');
}

static inline void json_builder_set_member_name(JsonBuilder *json, const char *name)
{
    json_builder_add_string_value(json, name);
    g_string_append_c(json->text, ':');
}

static inline void json_builder_add_int_value(JsonBuilder *json, gint64 value)
{
    char text[32];

    g_snprintf(text, sizeof text, "%" G_GINT64_FORMAT, value);
    json_builder_add(json, text);
}

static inline void json_builder_add_boolean_value(JsonBuilder *json, gboolean value)
{
    json_builder_add(json, value ? "true" : "false");
}

static inline void json_builder_add_null_value(JsonBuilder *json)
{
    json_builder_add(json, "null");
}

static inline void json_builder_begin_object(JsonBuilder *json)
{
    json_builder_add(json, "{");
}

static inline void json_builder_end_object(JsonBuilder *json)
{
    g_string_append_c(json->text, '}');
}

static inline void json_builder_begin_array(JsonBuilder *json)
{
    json_builder_add(json, "[");
}

static inline void json_builder_end_array(JsonBuilder *json)
{
    g_string_append_c(json->text, ']');
}

static inline JsonNode *json_builder_get_root(JsonBuilder *json)
{
    JsonNode *node = g_new(JsonNode, 1);

    node->text = g_strdup(json->text->str);
    return node;
}

static inline void json_node_free(JsonNode *node)
{
    g_free(node->text);
    g_free(node);
}

static inline JsonGenerator *json_generator_new(void)
{
    return g_new0(JsonGenerator, 1);
}

static inline void json_generator_set_root(JsonGenerator *generator, JsonNode *node)
{
    generator->root = node;
}

static inline char *json_generator_to_data(JsonGenerator *generator, gsize *length)
{
    if (length != NULL)
        *length = strlen(generator->root->text);
    return g_strdup(generator->root->text);
}

static inline void json_generator_free(JsonGenerator *generator)
{
    g_free(generator);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(JsonBuilder, json_builder_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(JsonNode, json_node_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(JsonGenerator, json_generator_free)
